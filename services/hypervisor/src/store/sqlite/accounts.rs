//! Accounts and invites.

use super::columns::{duplicate, optional_uuid};
use super::users::{COLUMNS, WIDTH, user};
use super::{Sqlite, passkeys, recovery, sessions};
use crate::store::{
    AccountCounts, AccountStore, Conflict, Hash, InviteRow, NewAccount, StoreError, UserRow,
};
use crate::timestamp::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

/// The counts behind a user's columns.
fn counts(row: &Row) -> rusqlite::Result<AccountCounts> {
    let count = |column: usize| row.get(column).map(i64::cast_unsigned);
    Ok(AccountCounts {
        passkeys: count(WIDTH)?,
        sessions: count(WIDTH + 1)?,
        recovery_codes: count(WIDTH + 2)?,
    })
}

impl AccountStore for Sqlite {
    fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM users ORDER BY created_at, username");
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map([], |row| user(row, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn user_count(&self) -> Result<u64, StoreError> {
        self.read(|db| {
            let count: i64 = db.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
            Ok(count.cast_unsigned())
        })
    }

    fn accounts(&self, now: Timestamp) -> Result<Vec<(UserRow, AccountCounts)>, StoreError> {
        self.read(|db| {
            let sql = format!(
                "SELECT {COLUMNS},
                 (SELECT count(*) FROM passkeys WHERE user_id = users.id),
                 (SELECT count(*) FROM sessions WHERE user_id = users.id AND expires_at > ?1),
                 (SELECT count(*) FROM recovery_codes WHERE user_id = users.id
                  AND used_at IS NULL AND (expires_at IS NULL OR expires_at > ?1))
                 FROM users ORDER BY created_at, username"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map([now], |row| Ok((user(row, 0)?, counts(row)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM users WHERE username = ?1");
            let mut statement = db.prepare_cached(&sql)?;
            let found = statement.query_row([username], |row| user(row, 0));
            Ok(found.optional()?)
        })
    }

    fn user_by_id(&self, id: Uuid) -> Result<Option<UserRow>, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
            let mut statement = db.prepare_cached(&sql)?;
            let found = statement.query_row([id.as_bytes()], |row| user(row, 0));
            Ok(found.optional()?)
        })
    }

    fn create_account(&self, account: &NewAccount) -> Result<(), StoreError> {
        let user = &account.user;
        self.write(|tx| {
            tx.execute(
                "INSERT INTO users (id, username, display_name, admin, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    user.id.as_bytes(),
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
            sessions::replace(tx, &account.session, account.replaces)
        })
    }

    fn add_invite(&self, invite: &InviteRow) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO invites (hash, admin, created_by, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    invite.hash,
                    invite.admin,
                    invite.created_by.map(Uuid::into_bytes),
                    invite.created_at,
                    invite.expires_at,
                ],
            )?;
            Ok(())
        })
    }

    fn invite(&self, hash: &Hash, now: Timestamp) -> Result<Option<InviteRow>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT hash, admin, created_by, created_at, expires_at FROM invites
                 WHERE hash = ?1 AND used_at IS NULL AND expires_at > ?2",
            )?;
            let found = statement.query_row(params![hash, now], |row| {
                Ok(InviteRow {
                    hash: row.get(0)?,
                    admin: row.get(1)?,
                    created_by: optional_uuid(row, 2)?,
                    created_at: row.get(3)?,
                    expires_at: row.get(4)?,
                })
            });
            Ok(found.optional()?)
        })
    }
}

fn use_invite(tx: &Transaction, invite: &Hash, by: &UserRow) -> Result<(), StoreError> {
    let changed = tx.execute(
        "UPDATE invites SET used_at = ?2, used_by = ?3
         WHERE hash = ?1 AND used_at IS NULL AND expires_at > ?2",
        params![invite, by.created_at, by.id.as_bytes()],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Conflict::Invite.into())
    }
}
