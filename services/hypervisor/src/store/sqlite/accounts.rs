//! Accounts and invites.

use super::columns::{dangling, duplicate};
use super::users::{COLUMNS, user};
use super::{Sqlite, homes, passkeys, people, recovery, sessions};
use crate::store::{
    AccountStore, Conflict, Hash, InviteRow, NewAccount, StoreError, UserRow, WorkspaceRow,
};
use crate::timestamp::Timestamp;
use rusqlite::{Transaction, params};
use uuid::Uuid;

impl AccountStore for Sqlite {
    fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users ORDER BY created_at, username");
        self.all(&sql, [], |row| user(row, 0))
    }

    fn user_count(&self) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM users", [])
    }

    fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE username = ?1");
        self.one(&sql, [username], |row| user(row, 0))
    }

    fn user_by_id(&self, id: Uuid) -> Result<Option<UserRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
        self.one(&sql, [id], |row| user(row, 0))
    }

    fn create_account(&self, account: &NewAccount) -> Result<Option<WorkspaceRow>, StoreError> {
        let user = &account.user;
        self.write(|tx| {
            tx.execute(
                "INSERT INTO users (id, username, display_name, admin, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    user.id,
                    user.username,
                    user.display_name,
                    user.admin,
                    user.created_at,
                ],
            )
            .map_err(duplicate(Conflict::Username))?;
            if let Some(invite) = &account.invite {
                use_invite(tx, invite, user)?;
            }
            passkeys::insert(tx, &account.passkey)?;
            recovery::insert(tx, user.id, &account.recovery_codes, user.created_at)?;
            sessions::replace(tx, &account.session, account.replaces)?;
            homes::settle_in(tx, &account.home, user.id)
        })
    }

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
            people::require_admin(tx, invite.created_by)?;
            tx.execute(sql, params)
                .map_err(dangling(Conflict::NoWorkspace))?;
            Ok(())
        })
    }

    fn invite(&self, hash: &Hash, now: Timestamp) -> Result<Option<InviteRow>, StoreError> {
        let sql = "SELECT id, hash, admin, username, workspace, created_by, created_at, expires_at
                   FROM invites
                   WHERE hash = ?1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ?2";
        self.one(sql, params![hash, now], |row| {
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
}

fn use_invite(tx: &Transaction, invite: &Hash, by: &UserRow) -> Result<(), StoreError> {
    let changed = tx.execute(
        "UPDATE invites SET used_at = ?2, used_by = ?3
         WHERE hash = ?1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ?2",
        params![invite, by.created_at, by.id],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Conflict::Invite.into())
    }
}
