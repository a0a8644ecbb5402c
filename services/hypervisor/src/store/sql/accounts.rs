//! Accounts.

use super::statements::duplicate;
use super::users::{COLUMNS, user};
use super::{Database, homes, invites, params, passkeys, recovery, sessions};
use crate::store::{AccountStore, Conflict, NewAccount, StoreError, UserRow, WorkspaceRow};
use uuid::Uuid;

impl AccountStore for Database {
    fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users ORDER BY created_at, username");
        self.all(&sql, &[], |row| user(row, 0))
    }

    fn user_count(&self) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM users", &[])
    }

    fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE username = ?1");
        self.one(&sql, params![username], |row| user(row, 0))
    }

    fn user_by_id(&self, id: Uuid) -> Result<Option<UserRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
        self.one(&sql, params![id], |row| user(row, 0))
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
                invites::take(tx, invite, user)?;
            }
            passkeys::insert(tx, &account.passkey)?;
            recovery::insert(tx, user.id, &account.recovery_codes, user.created_at)?;
            sessions::replace(tx, &account.session, account.replaces)?;
            homes::settle_in(tx, &account.home, user.id)
        })
    }
}
