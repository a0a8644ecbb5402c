//! The columns of a user, whatever they are asked for with.

use super::{Row, Statements, params};
use crate::store::{Conflict, StoreError, UserRow};
use uuid::Uuid;

pub(super) const COLUMNS: &str = "users.id, users.username, users.display_name, users.admin, users.created_at, users.disabled_at";

pub(super) const WIDTH: usize = 6;

/// A user whose columns begin at `first`.
pub(super) fn user(row: &Row, first: usize) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: row.get(first)?,
        username: row.get(first + 1)?,
        display_name: row.get(first + 2)?,
        admin: row.get(first + 3)?,
        created_at: row.get(first + 4)?,
        disabled_at: row.get(first + 5)?,
    })
}

/// A user who must be there.
pub(super) fn known(tx: &Statements, id: Uuid) -> Result<UserRow, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
    let found = tx.one(&sql, params![id], |row| user(row, 0))?;
    Ok(found.ok_or(Conflict::NoUser)?)
}
