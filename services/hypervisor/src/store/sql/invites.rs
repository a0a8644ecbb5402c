//! Invites.

use super::statements::dangling;
use super::{Database, Row, Statements, admins, audit, params};
use crate::store::{
    AuditRow, Conflict, Hash, Invitation, InviteRow, InviteStore, StoreError, UserRow,
};
use crate::timestamp::Timestamp;
use uuid::Uuid;

/// Of one that lets somebody in at `?2`.
const IS_GOOD: &str = "used_at IS NULL AND revoked_at IS NULL AND expires_at > ?2";

const SELECT: &str = "SELECT invites.id, invites.username, invites.workspace, invites.admin,
    makers.username, invites.created_at, invites.expires_at, used_at, users.username, revoked_at
    FROM invites LEFT JOIN users AS makers ON makers.id = created_by
    LEFT JOIN users ON users.id = used_by";

fn invitation(row: &Row) -> Result<Invitation, StoreError> {
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

/// One that is good lets this user in, and nobody else from now on.
pub(super) fn take(tx: &Statements, invite: &Hash, by: &UserRow) -> Result<(), StoreError> {
    let sql =
        format!("UPDATE invites SET used_at = ?2, used_by = ?3 WHERE hash = ?1 AND {IS_GOOD}");
    was_good(tx.execute(&sql, params![invite, by.created_at, by.id])?)
}

fn was_good(changed: usize) -> Result<(), StoreError> {
    match changed {
        1 => Ok(()),
        _ => Err(Conflict::Invite.into()),
    }
}

/// Has all that this user made, and that nobody used, let nobody in.
pub(super) fn revoke_all_of(tx: &Statements, user: Uuid, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE invites SET revoked_at = ?2
         WHERE created_by = ?1 AND used_at IS NULL AND revoked_at IS NULL",
        params![user, at],
    )?;
    Ok(())
}

impl InviteStore for Database {
    fn add_invite(&self, invite: &InviteRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO invites (id, hash, admin, username, workspace, created_by,
                   created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let params = params![
            invite.id,
            invite.hash,
            invite.admin,
            invite.username,
            invite.workspace,
            invite.created_by,
            invite.created_at,
            invite.expires_at,
        ];
        self.write(|tx| {
            admins::require_admin(tx, invite.created_by)?;
            tx.execute(sql, params)
                .map_err(dangling(Conflict::NoWorkspace))?;
            Ok(())
        })
    }

    fn invite(&self, hash: &Hash, now: Timestamp) -> Result<Option<InviteRow>, StoreError> {
        let sql = format!(
            "SELECT id, hash, admin, username, workspace, created_by, created_at, expires_at
             FROM invites WHERE hash = ?1 AND {IS_GOOD}"
        );
        self.one(&sql, params![hash, now], |row| {
            Ok(InviteRow {
                id: row.get(0)?,
                hash: row.get(1)?,
                admin: row.get(2)?,
                username: row.get(3)?,
                workspace: row.get(4)?,
                created_by: row.get(5)?,
                created_at: row.get(6)?,
                expires_at: row.get(7)?,
            })
        })
    }

    fn invites(&self) -> Result<Vec<Invitation>, StoreError> {
        let sql = format!("{SELECT} ORDER BY invites.created_at DESC, invites.rowid DESC");
        self.all(&sql, &[], invitation)
    }

    fn invite_by_id(&self, id: Uuid) -> Result<Option<Invitation>, StoreError> {
        self.one(
            &format!("{SELECT} WHERE invites.id = ?1"),
            params![id],
            invitation,
        )
    }

    fn revoke_invite(&self, by: Option<Uuid>, id: Uuid, row: &AuditRow) -> Result<(), StoreError> {
        self.write(|tx| {
            admins::require_admin(tx, by)?;
            let sql = format!("UPDATE invites SET revoked_at = ?2 WHERE id = ?1 AND {IS_GOOD}");
            was_good(tx.execute(&sql, params![id, row.at])?)?;
            audit::insert(tx, row)
        })
    }
}
