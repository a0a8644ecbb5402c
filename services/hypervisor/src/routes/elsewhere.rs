//! Workspaces whose home is another machine: what has to be known of them here.

use super::site::Site;
use crate::config::Config;
use crate::role::Role;
use crate::store::WorkspaceRow;
use dashmap::DashMap;
use std::sync::Arc;
use uuid::Uuid;

/// A workspace whose home is another machine.
#[derive(Debug)]
pub struct Elsewhere {
    /// What it is called.
    pub name: Arc<str>,
    /// The machine.
    pub home: Box<str>,
    /// Its slot of that machine, if it is not a declared one.
    pub slot: Option<u32>,
    /// How often it had another home before.
    pub epoch: u64,
    members: Vec<Uuid>,
    /// Live's and dev's.
    sites: [Site; 2],
}

/// All of them.
#[derive(Default)]
pub(super) struct Others {
    by_name: DashMap<Arc<str>, Arc<Elsewhere>>,
    by_user: DashMap<Uuid, Vec<Arc<Elsewhere>>>,
    /// Which of them a user is led to, if they have said so.
    chosen: DashMap<Uuid, Arc<str>>,
}

impl Others {
    pub(super) fn named(&self, name: &str) -> Option<Arc<Elsewhere>> {
        self.by_name.get(name).map(|found| found.clone())
    }

    pub(super) fn all(&self) -> Vec<Arc<Elsewhere>> {
        let mut all: Vec<_> = self.by_name.iter().map(|it| it.value().clone()).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// This user's, those that they joined first in front.
    pub(super) fn of(&self, user: Uuid) -> Vec<Arc<Elsewhere>> {
        self.by_user
            .get(&user)
            .map_or_else(Vec::new, |found| found.clone())
    }

    /// The one that this user has said they want to be led to.
    pub(super) fn chosen(&self, user: Uuid) -> Option<Arc<Elsewhere>> {
        let name = self.chosen.get(&user)?.clone();
        self.named(&name)
    }

    pub(super) fn lead_to(&self, user: Uuid, name: Option<&str>) {
        match name {
            Some(name) => drop(self.chosen.insert(user, name.into())),
            None => drop(self.chosen.remove(&user)),
        }
    }

    /// It is as the store says. One change of these at a time.
    pub(super) fn put(&self, config: &Config, row: &WorkspaceRow) {
        let workspace = Arc::new(Elsewhere {
            name: row.name.as_str().into(),
            home: row.home.as_str().into(),
            slot: row.slot,
            epoch: row.epoch,
            members: row.members.clone(),
            sites: [Role::Live, Role::Dev].map(|role| Site::new(config, &row.name, role)),
        });
        for member in &workspace.members {
            let mut theirs = self.by_user.entry(*member).or_default();
            // It keeps its place among those that they joined.
            match theirs.iter_mut().find(|it| it.name == workspace.name) {
                Some(known) => *known = workspace.clone(),
                None => theirs.push(workspace.clone()),
            }
        }
        let before = self.by_name.insert(workspace.name.clone(), workspace);
        if let Some(before) = before {
            let left = before.members.iter().filter(|it| !row.members.contains(it));
            left.for_each(|member| self.take_out(*member, &row.name));
        }
    }

    /// There is none of this name any longer.
    pub(super) fn remove(&self, name: &str) {
        let Some((_, workspace)) = self.by_name.remove(name) else {
            return;
        };
        for member in &workspace.members {
            self.take_out(*member, name);
        }
    }

    fn take_out(&self, member: Uuid, name: &str) {
        if let Some(mut theirs) = self.by_user.get_mut(&member) {
            theirs.retain(|it| *it.name != *name);
        }
        self.by_user
            .remove_if(&member, |_, theirs| theirs.is_empty());
    }
}

impl Elsewhere {
    /// Its members, those who joined first in front.
    pub fn members(&self) -> &[Uuid] {
        &self.members
    }

    /// Where the sandbox that has this role is found.
    pub fn site(&self, role: Role) -> &Site {
        match role {
            Role::Live => &self.sites[0],
            Role::Dev => &self.sites[1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_one_is_no_longer_of_it() {
        let (others, config) = (Others::default(), Config::default());
        let [ada, bob] = [1, 2].map(Uuid::from_u128);
        let row = |name: &str, members: &[Uuid]| WorkspaceRow {
            members: members.to_vec(),
            home: "b".to_owned(),
            ..WorkspaceRow::new(name)
        };
        others.put(&config, &row("one", &[ada, bob]));
        others.put(&config, &row("two", &[ada]));
        others.lead_to(ada, Some("two"));
        let names = |user| -> Vec<String> {
            let all = others.of(user).into_iter();
            all.map(|it| it.name.to_string()).collect()
        };
        assert_eq!(
            (names(ada), names(bob)),
            (vec!["one".into(), "two".into()], vec!["one".into()])
        );
        others.put(&config, &row("one", &[ada]));
        assert_eq!(names(bob), Vec::<String>::new());
        assert_eq!(names(ada), ["one", "two"], "in the order in which she came");
        assert_eq!(
            others.chosen(ada).map(|it| it.name.to_string()),
            Some("two".into())
        );
        others.remove("two");
        assert!(others.chosen(ada).is_none());
        assert_eq!(names(ada), ["one"]);
        assert!(others.named("two").is_none());
    }
}
