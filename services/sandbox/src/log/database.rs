//! The event log's `SQLite` file.

use super::{Draft, Event};
use rusqlite::{Connection, Result, Row, Transaction, params, types::Type};
use std::path::Path;
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The version of the schema below, kept in `user_version`.
const VERSION: i64 = 1;

/// AUTOINCREMENT never gives an id twice; the triggers make «append-only» the file's own rule.
const SCHEMA: &str = "
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        user_id TEXT,
        payload TEXT
    ) STRICT;
    CREATE TRIGGER events_stay BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
    CREATE TRIGGER events_stay_the_same BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
    PRAGMA user_version = 1;";

/// A page of events ends once it has so many bytes, so that few followers need little memory.
const PAGE_BYTES: usize = 1024 * 1024;

/// A connection to the log in this file; an error is a sentence.
pub(super) fn open(path: &Path) -> Result<Connection, String> {
    let mut connection = Connection::open(path).map_err(|error| error.to_string())?;
    match prepare(&mut connection) {
        Ok(VERSION) => Ok(connection),
        Ok(other) => Err(format!(
            "this event log has version {other}, and this sandbox knows only {VERSION}"
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// Makes the schema if there is none; returns the version that the file has.
fn prepare(connection: &mut Connection) -> Result<i64> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An acknowledged event must outlive a power cut as well.
    connection.pragma_update(None, "synchronous", "FULL")?;
    let version = |c: &Connection| c.pragma_query_value(None, "user_version", |row| row.get(0));
    let found: i64 = version(connection)?;
    if found != 0 {
        return Ok(found);
    }
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.commit()?;
    version(connection)
}

/// The newest id; 0 if there is none.
pub(super) fn newest(connection: &Connection) -> Result<i64> {
    connection.query_row("SELECT coalesce(max(id), 0) FROM events", [], |row| {
        row.get(0)
    })
}

/// The events after an id, oldest first: `limit` at most, and fewer where they are large.
pub(super) fn after(connection: &Connection, after: i64, limit: usize) -> Result<Vec<Event>> {
    let mut query = connection.prepare_cached(
        "SELECT id, at, kind, user_id, payload FROM events WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = query.query(params![after, limit])?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while bytes < PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        let (event, size) = event(row)?;
        events.push(event);
        bytes += size;
    }
    Ok(events)
}

/// The event in a row, and the bytes of its payload.
fn event(row: &Row<'_>) -> Result<(Event, usize)> {
    let text: Option<String> = row.get(4)?;
    let payload = text.as_deref().map(serde_json::from_str).transpose();
    let payload =
        payload.map_err(|e| rusqlite::Error::FromSqlConversionFailure(4, Type::Text, e.into()))?;
    let event = Event {
        id: row.get(0)?,
        at: row.get(1)?,
        kind: row.get(2)?,
        user_id: row.get(3)?,
        payload,
    };
    Ok((event, text.map_or(0, |text| text.len())))
}

/// Inserts one event.
pub(super) fn insert(transaction: &Transaction<'_>, draft: &Draft) -> Result<Event> {
    let at = now();
    transaction
        .prepare_cached("INSERT INTO events (at, kind, user_id, payload) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            at,
            draft.kind,
            draft.user_id,
            draft.payload.as_ref().map(ToString::to_string)
        ])?;
    Ok(Event {
        id: transaction.last_insert_rowid(),
        at,
        kind: draft.kind.clone(),
        user_id: draft.user_id.clone(),
        payload: draft.payload.clone(),
    })
}

/// Moves everything from the write-ahead log to the file itself.
pub(super) fn checkpoint(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Now, to the millisecond.
#[expect(
    clippy::expect_used,
    reason = "a millisecond is below a second, and the clock's year has four digits"
)]
fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_millisecond(now.millisecond())
        .expect("a valid millisecond")
        .format(&Rfc3339)
        .expect("a year of four digits")
}
