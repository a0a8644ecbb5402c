//! Brings workspaces and their members to what the configuration says, once at each start.
//!
//! A declared workspace that names members has those of them who have an account, and nobody
//! else. One that names nobody keeps whom it has. One that is no longer declared is retired,
//! unless the runtime makes workspaces: kept with its routes and members, but served to nobody.

#[cfg(test)]
mod tests;

use crate::config::{Config, DEFAULT_WORKSPACE, Workspace};
use crate::store::{AuditRow, Move, Settlement, Store, StoreError, WorkspaceRow};
use crate::timestamp::Timestamp;
use crate::username;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tracing::{info, warn};
use uuid::Uuid;

type Declared = BTreeMap<String, Workspace>;

/// Which workspaces are served that the configuration does not declare.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    /// Whether the runtime makes workspaces.
    pub(super) all: bool,
    /// How many slots the host has.
    pub(super) slots: u32,
}

impl Kept {
    fn has(self, row: &WorkspaceRow) -> bool {
        self.all || row.slot.is_some_and(|slot| slot <= self.slots)
    }
}

/// The declared workspace that names this user, however the name is written there.
pub(super) fn names<'a>(declared: &'a Declared, username: &str) -> Option<&'a String> {
    let is_theirs = |member: &String| username::parse(member).is_some_and(|name| name == username);
    declared
        .iter()
        .find(|(_, workspace)| workspace.members.iter().any(is_theirs))
        .map(|(name, _)| name)
}

/// Settles in one step of the store what the configuration changes of this machine's workspaces, and
/// says each change in the log. Answers with the workspaces of all machines as they are then.
pub(super) fn settle(
    store: &dyn Store,
    config: &Config,
    kept: Kept,
) -> Result<Vec<WorkspaceRow>, StoreError> {
    let all = store.workspaces()?;
    let is_here = |row: &&WorkspaceRow| row.home == config.machine();
    let (rows, elsewhere): (Vec<_>, Vec<_>) = all.iter().partition(is_here);
    let rows: Vec<_> = rows.into_iter().cloned().collect();
    // Of two machines that declare one workspace, the first one has it.
    let mut declared = config.workspaces.clone();
    for row in elsewhere {
        if declared.remove(&row.name).is_some() && row.name != DEFAULT_WORKSPACE {
            warn!(
                workspace = row.name,
                home = row.home,
                "declared here, and another machine is its home"
            );
        }
    }
    let declared = &declared;
    let mut ids = HashMap::new();
    let members = declared.values().flat_map(|workspace| &workspace.members);
    for name in members.filter_map(|member| username::parse(member)) {
        if let Some(user) = store.user_by_name(&name)? {
            ids.insert(name, user.id);
        }
    }
    let mut change = plan(declared, kept, &rows, &ids);
    if change == Settlement::default() {
        return Ok(all);
    }
    for row in &mut change.create {
        config.machine().clone_into(&mut row.home);
    }
    let notes = notes(store, &rows, &change)?;
    change.audit = notes.iter().filter_map(Note::audit).collect();
    store.settle(&change)?;
    for note in notes {
        note.log();
    }
    store.workspaces()
}

/// What is to change; `ids` has the accounts of the named members.
fn plan(
    declared: &Declared,
    kept: Kept,
    rows: &[WorkspaceRow],
    ids: &HashMap<String, Uuid>,
) -> Settlement {
    let stored: HashSet<&str> = rows.iter().map(|row| &*row.name).collect();
    let new = declared.keys().filter(|name| !stored.contains(&***name));
    let retires = rows.iter().filter_map(|row| {
        let retired = !kept.has(row) && !declared.contains_key(&row.name);
        (row.retired != retired).then(|| (row.name.clone(), retired))
    });
    Settlement {
        create: new.map(|name| WorkspaceRow::new(name)).collect(),
        retire: retires.collect(),
        moves: moves(declared, rows, ids),
        audit: Vec::new(),
    }
}

/// Who goes where: whoever is named in a workspace joins it, and whom a workspace that names others
/// does not name leaves it.
fn moves(declared: &Declared, rows: &[WorkspaceRow], ids: &HashMap<String, Uuid>) -> Vec<Move> {
    let mut joins: BTreeSet<(Uuid, &String)> = BTreeSet::new();
    for (name, workspace) in declared {
        let known = workspace.members.iter().filter_map(|member| {
            let name = username::parse(member)?;
            ids.get(&name)
        });
        joins.extend(known.map(|id| (*id, name)));
    }
    let named = joins.clone();
    let mut leaves = Vec::new();
    for row in rows {
        let names_others = declared
            .get(&row.name)
            .is_some_and(|workspace| !workspace.members.is_empty());
        for &user in &row.members {
            joins.remove(&(user, &row.name));
            if names_others && !named.contains(&(user, &row.name)) {
                leaves.push((user, row.name.clone()));
            }
        }
    }
    // Who leaves one and joins another goes from here to there.
    let mut moves = Vec::new();
    for (user, from) in leaves {
        let next = joins.iter().find(|(id, _)| *id == user).copied();
        let to = next.map(|(_, name)| name.clone());
        if let Some(next) = next {
            joins.remove(&next);
        }
        let from = Some(from);
        moves.push(Move { user, from, to });
    }
    moves.extend(joins.into_iter().map(|(user, to)| Move {
        user,
        from: None,
        to: Some(to.clone()),
    }));
    moves
}

/// One change, as it is told.
struct Note {
    event: &'static str,
    workspace: String,
    user: Option<(Uuid, String)>,
    said: String,
}

impl Note {
    fn log(&self) {
        let user = self.user.as_ref().map(|(_, name)| name);
        if self.event == "workspace_retired" {
            warn!(workspace = %self.workspace, user, "{}", self.said);
        } else {
            info!(workspace = %self.workspace, user, "{}", self.said);
        }
    }

    /// Its event in the audit log, if it concerns somebody.
    fn audit(&self) -> Option<AuditRow> {
        let (id, _) = self.user.as_ref()?;
        Some(AuditRow {
            at: Timestamp::now(),
            event: self.event.to_owned(),
            user_id: Some(*id),
            address: None,
            detail: self.said.clone(),
            passkey: None,
            actor: Some("the configuration".to_owned()),
        })
    }
}

fn notes(
    store: &dyn Store,
    rows: &[WorkspaceRow],
    change: &Settlement,
) -> Result<Vec<Note>, StoreError> {
    let named = |id: Uuid| -> Result<(Uuid, String), StoreError> {
        let user = store.user_by_id(id)?;
        Ok((
            id,
            user.map_or_else(|| id.to_string(), |user| user.username),
        ))
    };
    let mut notes: Vec<Note> = change.create.iter().map(|row| added(&row.name)).collect();
    for (name, retired) in &change.retire {
        notes.push(retired_or_back(name, *retired, None));
        let row = rows.iter().find(|row| row.name == *name);
        let stays = |id: &&Uuid| !change.moves.iter().any(|it| it.user == **id);
        for id in row.iter().flat_map(|row| &row.members).filter(stays) {
            notes.push(retired_or_back(name, *retired, Some(named(*id)?)));
        }
    }
    for it in &change.moves {
        notes.push(moved(it, named(it.user)?));
    }
    Ok(notes)
}

fn added(name: &str) -> Note {
    Note {
        event: "workspace_added",
        workspace: name.to_owned(),
        user: None,
        said: format!("workspace {name} is new"),
    }
}

fn retired_or_back(name: &str, retired: bool, user: Option<(Uuid, String)>) -> Note {
    let whose = match &user {
        Some((_, member)) => format!("workspace {name} of {member}"),
        None => format!("workspace {name}"),
    };
    let (event, said) = if retired {
        let said = format!(
            "{whose} is no longer declared, and has no slot of this host: it is kept as it is, and served to nobody until `workspaces.{name}` is declared again, or there are as many slots as there were"
        );
        ("workspace_retired", said)
    } else {
        let said = format!("{whose} is declared again, and as it was");
        ("workspace_back", said)
    };
    Note {
        event,
        workspace: name.to_owned(),
        user,
        said,
    }
}

fn moved(change: &Move, user: (Uuid, String)) -> Note {
    let name = &user.1;
    let as_said = "as the configuration says";
    let from = change.from.as_deref().unwrap_or_default();
    let (event, workspace, said) = match &change.to {
        Some(to) if from.is_empty() => (
            "workspace_joined",
            &**to,
            format!("{name} is a member of {to} now, {as_said}"),
        ),
        Some(to) => (
            "workspace_moved",
            &**to,
            format!("{name} is a member of {to} now, and of {from} no longer, {as_said}"),
        ),
        None => (
            "workspace_left",
            from,
            format!(
                "{name} is no member of {from} any longer, since `workspaces.{from}.members` names others; name {name} in a workspace's `members` to let them in again"
            ),
        ),
    };
    Note {
        event,
        workspace: workspace.to_owned(),
        said,
        user: Some(user),
    }
}
