//! The workspace that a person gets, and the slot of the host that it takes.

use super::members::{choose, join, leave};
use super::workspaces::{insert, named};
use super::{Database, Statements};
use crate::role::Role;
use crate::sandbox_name;
use crate::store::{Conflict, Home, MemberStore, StoreError, WorkspaceRow};
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
            insert(tx, &new_row(tx, &new.name, new.slots)?)?;
            &new.name
        }
    };
    join(tx, name, user)?;
    choose(tx, user, name)?;
    named(tx, name).map(Some)
}

/// A new workspace; where the host has so many slots, in the first that is free.
pub(super) fn new_row(
    tx: &Statements,
    name: &str,
    slots: Option<u32>,
) -> Result<WorkspaceRow, StoreError> {
    let row = WorkspaceRow::new(name);
    let Some(slots) = slots else {
        return Ok(row);
    };
    let slot = free_slot(tx, slots)?.ok_or(Conflict::NoSlot)?;
    Ok(WorkspaceRow {
        slot: Some(slot),
        live: sandbox_name::of(name, Some(slot), Role::Live),
        dev: sandbox_name::of(name, Some(slot), Role::Dev),
        ..row
    })
}

/// The first slot of so many that nobody has.
fn free_slot(tx: &Statements, slots: u32) -> Result<Option<u32>, StoreError> {
    let sql = "SELECT slot FROM workspaces WHERE slot IS NOT NULL ORDER BY slot";
    let taken: Vec<u32> = tx.all(sql, &[], |row| row.get(0))?;
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

    fn chosen(&self) -> Result<Vec<(Uuid, String)>, StoreError> {
        let sql = "SELECT id, workspace FROM users WHERE workspace IS NOT NULL";
        self.all(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}
