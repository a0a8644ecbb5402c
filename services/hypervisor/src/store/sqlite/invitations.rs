//! Invites, as they are listed and revoked.

use crate::store::{Conflict, Invitation, StoreError};
use crate::timestamp::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

const SELECT: &str = "SELECT invites.id, invites.username, invites.workspace, invites.admin,
    makers.username, invites.created_at, invites.expires_at, used_at, users.username, revoked_at
    FROM invites LEFT JOIN users AS makers ON makers.id = created_by
    LEFT JOIN users ON users.id = used_by";

fn invitation(row: &Row) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        id: row.get(0)?,
        username: row.get(1)?,
        workspace: row.get(2)?,
        admin: row.get(3)?,
        created_by: row.get(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        used_at: row.get(7)?,
        used_by: row.get(8)?,
        revoked_at: row.get(9)?,
    })
}

/// The newest first.
pub(super) fn all(db: &Connection) -> Result<Vec<Invitation>, StoreError> {
    let sql = format!("{SELECT} ORDER BY invites.created_at DESC, invites.rowid DESC");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([], invitation)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn by_id(db: &Connection, id: Uuid) -> Result<Option<Invitation>, StoreError> {
    let sql = format!("{SELECT} WHERE invites.id = ?1");
    let mut statement = db.prepare_cached(&sql)?;
    Ok(statement.query_row([id], invitation).optional()?)
}

/// Has one that is good let nobody in.
pub(super) fn revoke(tx: &Transaction, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE invites SET revoked_at = ?2 WHERE id = ?1
               AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ?2";
    match tx.execute(sql, params![id, at])? {
        1 => Ok(()),
        _ => Err(Conflict::Invite.into()),
    }
}

/// The same with all that this user made.
pub(super) fn revoke_all_of(tx: &Transaction, user: Uuid, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE invites SET revoked_at = ?2
         WHERE created_by = ?1 AND used_at IS NULL AND revoked_at IS NULL",
        params![user, at],
    )?;
    Ok(())
}
