//! Sessions.

use super::Sqlite;
use super::columns::{optional_uuid, uuid};
use crate::store::{SessionRow, SessionStore, StoreError, Timestamp};
use rusqlite::{Row, Transaction, params};
use uuid::Uuid;

fn session(row: &Row) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: uuid(row, 0)?,
        token: row.get(1)?,
        user_id: uuid(row, 2)?,
        kind: row.get(3)?,
        passkey_id: optional_uuid(row, 4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        last_seen_at: row.get(7)?,
        address: row.get(8)?,
        user_agent: row.get(9)?,
    })
}

/// Opens `new`, and ends the session that it replaces.
pub(super) fn replace(
    tx: &Transaction,
    new: &SessionRow,
    replaces: Option<Uuid>,
) -> Result<(), StoreError> {
    if let Some(old) = replaces {
        delete(tx, old)?;
    }
    tx.execute(
        "INSERT INTO sessions (id, token, user_id, kind, passkey_id, created_at, expires_at,
         last_seen_at, address, user_agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            new.id.as_bytes(),
            new.token,
            new.user_id.as_bytes(),
            new.kind,
            new.passkey_id.map(Uuid::into_bytes),
            new.created_at,
            new.expires_at,
            new.last_seen_at,
            new.address,
            new.user_agent,
        ],
    )?;
    Ok(())
}

pub(super) fn delete(tx: &Transaction, session: Uuid) -> Result<bool, StoreError> {
    let removed = tx.execute("DELETE FROM sessions WHERE id = ?1", [session.as_bytes()])?;
    Ok(removed == 1)
}

impl SessionStore for Sqlite {
    fn sessions(&self, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, token, user_id, kind, passkey_id, created_at, expires_at,
                 last_seen_at, address, user_agent FROM sessions
                 WHERE expires_at > ?1 ORDER BY created_at",
            )?;
            let rows = statement.query_map([now], session)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn remove_session(&self, session: Uuid) -> Result<bool, StoreError> {
        self.write(|tx| delete(tx, session))
    }

    fn tidy_sessions(&self, seen: &[(Uuid, Timestamp)], now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| {
            for (session, at) in seen {
                tx.execute(
                    "UPDATE sessions SET last_seen_at = max(last_seen_at, ?2) WHERE id = ?1",
                    params![session.as_bytes(), at],
                )?;
            }
            tx.execute("DELETE FROM sessions WHERE expires_at <= ?1", [now])?;
            Ok(())
        })
    }
}
