//! Sessions.

use super::{Database, MOST_AT_ONCE, Row, Statements, params, users};
use crate::store::{Conflict, Hash, SessionRow, SessionStore, StoreError, UserRow};
use crate::timestamp::Timestamp;
use std::time::Duration;
use uuid::Uuid;

const COLUMNS: &str = "sessions.id, sessions.token, sessions.user_id, sessions.kind,
    sessions.passkey_id, sessions.created_at, sessions.expires_at, sessions.last_seen_at,
    sessions.address, sessions.user_agent";
const WIDTH: usize = 10;

fn session(row: &Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        id: row.get(0)?,
        token: row.get(1)?,
        user_id: row.get(2)?,
        kind: row.get(3)?,
        passkey_id: row.get(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        last_seen_at: row.get(7)?,
        address: row.get(8)?,
        user_agent: row.get(9)?,
    })
}

/// Opens `new`, and ends the session that it replaces, if its user is there and may log in.
pub(super) fn replace(
    tx: &Statements,
    new: &SessionRow,
    replaces: Option<Uuid>,
) -> Result<(), StoreError> {
    if let Some(old) = replaces {
        delete(tx, old)?;
    }
    require_able(tx, new.user_id)?;
    tx.execute(
        "INSERT INTO sessions (id, token, user_id, kind, passkey_id, created_at, expires_at,
         last_seen_at, address, user_agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            new.id,
            new.token,
            new.user_id,
            new.kind,
            new.passkey_id,
            new.created_at,
            new.expires_at,
            new.last_seen_at,
            new.address,
            new.user_agent,
        ],
    )?;
    Ok(())
}

/// Refuses what is for a user who may not log in, or who is gone.
pub(super) fn require_able(tx: &Statements, user: Uuid) -> Result<(), StoreError> {
    match users::known(tx, user)?.disabled_at {
        None => Ok(()),
        Some(_) => Err(Conflict::Disabled.into()),
    }
}

/// Refuses what a session wants done that has ended.
pub(super) fn require(tx: &Statements, session: Uuid) -> Result<(), StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?1)";
    if tx.value(sql, params![session])? {
        Ok(())
    } else {
        Err(Conflict::Session.into())
    }
}

pub(super) fn delete(tx: &Statements, session: Uuid) -> Result<bool, StoreError> {
    let removed = tx.execute("DELETE FROM sessions WHERE id = ?1", params![session])?;
    Ok(removed == 1)
}

impl SessionStore for Database {
    fn session_by_token(
        &self,
        token: &Hash,
        now: Timestamp,
    ) -> Result<Option<(SessionRow, UserRow)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, {} FROM sessions JOIN users ON users.id = sessions.user_id
             WHERE token = ?1 AND expires_at > ?2 AND disabled_at IS NULL",
            users::COLUMNS
        );
        self.one(&sql, params![token, now], |row| {
            Ok((session(row)?, users::user(row, WIDTH)?))
        })
    }

    fn sessions_of(&self, user: Uuid, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE user_id = ?1 AND expires_at > ?2
             ORDER BY created_at DESC, id"
        );
        self.all(&sql, params![user, now], session)
    }

    fn remove_session(&self, session: Uuid) -> Result<bool, StoreError> {
        self.write(|tx| delete(tx, session))
    }

    fn purge_sessions(
        &self,
        seen: &[(Uuid, Timestamp)],
        now: Timestamp,
        past: Timestamp,
    ) -> Result<(), StoreError> {
        for part in seen.chunks(MOST_AT_ONCE) {
            self.write(|tx| {
                // What a clock that was ahead has noted is none that it could not go behind.
                let note =
                    "UPDATE sessions SET last_seen_at = greatest(least(last_seen_at, ?3), ?2)
                     WHERE id = ?1";
                for (session, at) in part {
                    tx.execute(note, params![session, at, now])?;
                }
                Ok(())
            })?;
        }
        self.purge(
            "DELETE FROM sessions WHERE id IN
                 (SELECT id FROM sessions WHERE expires_at <= ?1 LIMIT ?2)",
            past,
        )
    }

    fn pull_back(&self, latest: Timestamp) -> Result<(), StoreError> {
        let began = latest.before(Duration::from_hours(24));
        self.write(|tx| {
            for table in ["sessions", "tokens", "invites", "recovery_codes"] {
                let sql = format!(
                    "UPDATE {table} SET expires_at = ?2 + (expires_at - created_at), created_at = ?2
                     WHERE created_at > ?1"
                );
                tx.execute(&sql, params![latest, began])?;
            }
            Ok(())
        })
    }
}
