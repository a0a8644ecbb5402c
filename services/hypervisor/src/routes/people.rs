//! Who is a member of which workspaces, as it is in memory.

use super::person::{Membership, Person};
use super::route::Workspace;
use super::table::Routes;
use crate::concurrency_limit::ConcurrencyLimit;
use crate::lifetime::Lifetime;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use utoipa::ToSchema;
use uuid::Uuid;

/// The slots of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Slots {
    /// How many there are.
    pub total: u32,
    /// How many of them are nobody's.
    pub free: u32,
}

impl Routes {
    /// The workspace that this user is led to, if they have one already.
    pub fn chosen(&self, user: Uuid) -> Option<Membership> {
        self.by_user.get(&user)?.chosen().cloned()
    }

    /// The same without when it ends.
    pub fn of(&self, user: Uuid) -> Option<Arc<Workspace>> {
        Some(self.chosen(user)?.workspace)
    }

    /// All workspaces of this user, those that they joined first in front.
    pub fn workspaces_of(&self, user: Uuid) -> Vec<Arc<Workspace>> {
        let found = self.by_user.get(&user);
        let all = found
            .iter()
            .flat_map(|person| &person.memberships)
            .map(|membership| membership.workspace.clone());
        all.collect()
    }

    /// That this user is a member of this workspace, if they are.
    pub fn membership(&self, user: Uuid, workspace: &Arc<Workspace>) -> Option<Arc<Lifetime>> {
        let person = self.by_user.get(&user)?;
        Some(person.of(workspace)?.lifetime.clone())
    }

    /// Whether this user is a member of this workspace.
    pub fn is_member(&self, user: Uuid, workspace: &Arc<Workspace>) -> bool {
        let person = self.by_user.get(&user);
        person.is_some_and(|person| person.of(workspace).is_some())
    }

    /// The members of this workspace.
    pub fn members(&self, workspace: &Arc<Workspace>) -> Vec<Uuid> {
        let all = self.by_user.iter();
        let members = all.filter(|person| person.of(workspace).is_some());
        members.map(|person| *person.key()).collect()
    }

    /// The slots of this host.
    pub fn slots(&self) -> Slots {
        let total = self.config.slots.count();
        let has_one = |workspace: &Workspace| workspace.slot.is_some();
        let taken = self.by_name.iter().filter(|it| has_one(it)).count();
        let taken = u32::try_from(taken).unwrap_or(u32::MAX);
        let free = total.saturating_sub(taken);
        Slots { total, free }
    }

    /// The members of each of these workspaces.
    pub fn members_of(&self, workspaces: &[Arc<Workspace>]) -> Vec<Vec<Uuid>> {
        let names = workspaces.iter().map(|workspace| &*workspace.name);
        let places: HashMap<&str, usize> = names.zip(0..).collect();
        let mut members = vec![Vec::new(); workspaces.len()];
        for person in &self.by_user {
            for membership in &person.memberships {
                if let Some(place) = places.get(&*membership.workspace.name) {
                    members[*place].push(*person.key());
                }
            }
        }
        members
    }

    /// Puts into memory that a user is a member.
    pub(super) fn add(&self, user: Uuid, workspace: &Arc<Workspace>) {
        let membership = || Membership {
            workspace: workspace.clone(),
            lifetime: self.ends.lifetime(None),
        };
        self.without.remove(&user);
        workspace.owned.store(true, Ordering::Relaxed);
        let mut person = self.by_user.entry(user).or_insert_with(|| Person {
            memberships: Vec::new(),
            chosen: None,
            concurrency_limit: ConcurrencyLimit::new(self.config.proxy.max_requests_per_user),
        });
        if person.of(workspace).is_none() {
            person.memberships.push(membership());
        }
    }

    /// Puts into memory where a user is led to.
    pub(super) fn lead_to(&self, user: Uuid, workspace: &Arc<Workspace>) {
        if let Some(mut person) = self.by_user.get_mut(&user) {
            person.chosen = Some(workspace.clone());
        }
    }

    /// Takes out of memory that a user is a member, and ends what they opened there.
    pub(super) fn take_out(&self, user: Uuid, workspace: &Arc<Workspace>) {
        for membership in self.remove_membership(user, workspace) {
            membership.lifetime.end();
        }
    }

    /// The same without an end to anything.
    pub(super) fn remove_membership(
        &self,
        user: Uuid,
        workspace: &Arc<Workspace>,
    ) -> Vec<Membership> {
        let Some(mut person) = self.by_user.get_mut(&user) else {
            return Vec::new();
        };
        let left = person
            .memberships
            .extract_if(.., |it| Arc::ptr_eq(&it.workspace, workspace));
        let left = left.collect();
        drop(person);
        self.by_user
            .remove_if(&user, |_, person| person.memberships.is_empty());
        left
    }
}
