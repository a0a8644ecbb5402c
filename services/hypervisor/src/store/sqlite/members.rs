//! Who is a member of which workspace.

use super::columns::duplicate;
use crate::store::{Conflict, Move, StoreError};
use rusqlite::{Connection, Transaction, params};
use uuid::Uuid;

/// A workspace's, those who joined first in front.
pub(super) fn of(db: &Connection, workspace: &str) -> Result<Vec<Uuid>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT user_id FROM members WHERE workspace = ?1 ORDER BY rowid")?;
    let rows = statement.query_map([workspace], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes a user a member.
pub(super) fn join(tx: &Transaction, workspace: &str, user: Uuid) -> Result<(), StoreError> {
    tx.execute("DELETE FROM taken_out WHERE user_id = ?1", [user])?;
    tx.prepare_cached("INSERT INTO members (user_id, workspace) VALUES (?1, ?2)")?
        .execute(params![user, workspace])
        .map_err(duplicate(Conflict::Member))?;
    tx.execute(
        "UPDATE workspaces SET owned = 1 WHERE name = ?1",
        [workspace],
    )?;
    Ok(())
}

/// Takes a user out.
pub(super) fn leave(tx: &Transaction, workspace: &str, user: Uuid) -> Result<(), StoreError> {
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
        "INSERT INTO taken_out (user_id) SELECT ?1
         WHERE NOT EXISTS (SELECT 1 FROM members WHERE user_id = ?1) ON CONFLICT DO NOTHING",
        [user],
    )?;
    Ok(())
}

/// From now on the user is led to this one of theirs.
pub(super) fn choose(tx: &Transaction, user: Uuid, workspace: &str) -> Result<(), StoreError> {
    let sql = "UPDATE users SET workspace = ?2 WHERE id = ?1
               AND EXISTS (SELECT 1 FROM members WHERE user_id = ?1 AND workspace = ?2)";
    match tx.execute(sql, params![user, workspace])? {
        1 => Ok(()),
        _ => Err(Conflict::Member.into()),
    }
}

/// Takes a user out of one workspace and into another, which they are led to.
pub(super) fn transfer(tx: &Transaction, change: &Move) -> Result<(), StoreError> {
    if let Some(to) = &change.to {
        join(tx, to, change.user)?;
        choose(tx, change.user, to)?;
    }
    match &change.from {
        Some(from) => leave(tx, from, change.user),
        None => Ok(()),
    }
}
