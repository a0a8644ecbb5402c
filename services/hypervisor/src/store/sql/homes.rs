//! The workspace that a person gets, and the slot of the host that it takes.

use super::members::{choose, join, leave};
use super::workspaces::{insert, named};
use super::{Database, Statements, params};
use crate::role::Role;
use crate::sandbox_name;
use crate::store::{Conflict, Home, MemberStore, Placed, Room, StoreError, WorkspaceRow};
use uuid::Uuid;

/// Gives a user their workspace; answers with it as it is then.
pub(super) fn settle_in(
    tx: &Statements,
    home: &Home,
    user: Uuid,
) -> Result<Option<WorkspaceRow>, StoreError> {
    let name = match home {
        Home::None => return Ok(None),
        Home::Member(name) => name,
        Home::New(new) => {
            insert(tx, &new_row(tx, &new.name, &new.rooms)?)?;
            &new.name
        }
    };
    join(tx, name, user)?;
    choose(tx, user, name)?;
    named(tx, name).map(Some)
}

/// A new workspace in the first of these rooms that has a place for it.
pub(super) fn new_row(
    tx: &Statements,
    name: &str,
    rooms: &[Room],
) -> Result<WorkspaceRow, StoreError> {
    for Room { machine, slots } in rooms {
        let row = WorkspaceRow {
            home: machine.clone(),
            ..WorkspaceRow::new(name)
        };
        let Some(slots) = slots else {
            return Ok(row);
        };
        if let Some(slot) = free_slot(tx, machine, *slots)? {
            return Ok(WorkspaceRow {
                slot: Some(slot),
                live: sandbox_name::of(name, Some(slot), Role::Live),
                dev: sandbox_name::of(name, Some(slot), Role::Dev),
                ..row
            });
        }
    }
    Err(Conflict::NoSlot.into())
}

/// The first of a machine's slots that nobody has, and that no data are on their way to or from.
pub(super) fn free_slot(
    tx: &Statements,
    machine: &str,
    slots: u32,
) -> Result<Option<u32>, StoreError> {
    let sql = "SELECT slot FROM workspaces WHERE home = ?1 AND slot IS NOT NULL
               UNION SELECT source_slot FROM moves WHERE source = ?1 AND source_slot IS NOT NULL
               UNION SELECT target_slot FROM moves WHERE target = ?1 AND target_slot IS NOT NULL
               ORDER BY 1";
    let taken: Vec<u32> = tx.all(sql, params![machine], |row| row.get(0))?;
    let in_a_row = (1..).zip(&taken).take_while(|(free, taken)| free == *taken);
    let free = 1 + u32::try_from(in_a_row.count()).unwrap_or(u32::MAX - 1);
    Ok((free <= slots).then_some(free))
}

impl MemberStore for Database {
    fn settle_in(&self, home: &Home, user: Uuid) -> Result<Option<WorkspaceRow>, StoreError> {
        self.write(|tx| settle_in(tx, home, user))
    }

    fn join(&self, workspace: &str, user: Uuid) -> Result<(), StoreError> {
        self.write(|tx| join(tx, workspace, user))
    }

    fn leave(&self, workspace: &str, user: Uuid) -> Result<(), StoreError> {
        self.write(|tx| leave(tx, workspace, user))
    }

    fn choose(&self, user: Uuid, workspace: &str) -> Result<(), StoreError> {
        self.write(|tx| choose(tx, user, workspace))
    }

    fn placed(&self, user: Uuid) -> Result<Placed, StoreError> {
        let sql = "SELECT workspace, EXISTS (SELECT 1 FROM taken_out WHERE user_id = id)
                   FROM users WHERE id = ?1";
        let found = self.one(sql, params![user], |row| {
            Ok(Placed {
                chosen: row.get(0)?,
                is_taken_out: row.get(1)?,
            })
        })?;
        Ok(found.unwrap_or_default())
    }

    fn chosen(&self) -> Result<Vec<(Uuid, String)>, StoreError> {
        let sql = "SELECT id, workspace FROM users WHERE workspace IS NOT NULL";
        self.all(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}
