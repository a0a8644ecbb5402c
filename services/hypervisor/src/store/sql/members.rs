//! Who is a member of which workspace.

use super::statements::duplicate;
use super::{Statements, params};
use crate::store::{Conflict, Move, StoreError};
use uuid::Uuid;

/// A workspace's, those who joined first in front.
pub(super) fn of(db: &Statements, workspace: &str) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT user_id FROM members WHERE workspace = ?1 ORDER BY rowid";
    db.all(sql, params![workspace], |row| row.get(0))
}

/// Makes a user a member.
pub(super) fn join(tx: &Statements, workspace: &str, user: Uuid) -> Result<(), StoreError> {
    tx.execute("DELETE FROM taken_out WHERE user_id = ?1", params![user])?;
    let sql = "INSERT INTO members (user_id, workspace) VALUES (?1, ?2)";
    tx.execute(sql, params![user, workspace])
        .map_err(duplicate(Conflict::Member))?;
    tx.execute(
        "UPDATE workspaces SET owned = TRUE WHERE name = ?1",
        params![workspace],
    )?;
    Ok(())
}

/// Takes a user out.
pub(super) fn leave(tx: &Statements, workspace: &str, user: Uuid) -> Result<(), StoreError> {
    let left = "DELETE FROM members WHERE user_id = ?1 AND workspace = ?2";
    if tx.execute(left, params![user, workspace])? != 1 {
        return Err(Conflict::Member.into());
    }
    tx.execute(
        "UPDATE users SET workspace = NULL WHERE id = ?1 AND workspace = ?2",
        params![user, workspace],
    )?;
    // Who is in none gets none by themselves, as a new user might.
    tx.execute(
        "INSERT INTO taken_out (user_id) SELECT id FROM users WHERE id = ?1
         AND NOT EXISTS (SELECT 1 FROM members WHERE user_id = ?1) ON CONFLICT DO NOTHING",
        params![user],
    )?;
    Ok(())
}

/// From now on the user is led to this one of theirs.
pub(super) fn choose(tx: &Statements, user: Uuid, workspace: &str) -> Result<(), StoreError> {
    let sql = "UPDATE users SET workspace = ?2 WHERE id = ?1
               AND EXISTS (SELECT 1 FROM members WHERE user_id = ?1 AND workspace = ?2)";
    match tx.execute(sql, params![user, workspace])? {
        1 => Ok(()),
        _ => Err(Conflict::Member.into()),
    }
}

/// Takes a user out of one workspace and into another, which they are led to.
pub(super) fn transfer(tx: &Statements, change: &Move) -> Result<(), StoreError> {
    if let Some(to) = &change.to {
        join(tx, to, change.user)?;
        choose(tx, change.user, to)?;
    }
    match &change.from {
        Some(from) => leave(tx, from, change.user),
        None => Ok(()),
    }
}
