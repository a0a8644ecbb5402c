//! Whether the data are whole.

use super::super::record::{FILES, Key};
use super::files::Files;
use super::schema::REWRITTEN;
use anyhow::{Result, ensure};
use rusqlite::{Connection, Row};

/// All of it: what a rehearsal has is checked so before anybody is held.
pub(super) fn whole(connection: &Connection, files: &Files, schema: u32) -> Result<()> {
    let said: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    ensure!(said == "ok", "broken: {said}");
    let gaps: u64 = connection.query_row(
        "SELECT count(*) FROM (SELECT 1 FROM record GROUP BY client HAVING count(*) <> max(number))",
        [],
        |row| row.get(0),
    )?;
    ensure!(gaps == 0, "broken: {gaps} clients miss records");
    newest(connection, schema)?;
    with_files(connection, files, u64::MAX)
}

/// What takes no time however much there is.
pub(super) fn quick(connection: &Connection, files: &Files, schema: u32) -> Result<()> {
    newest(connection, schema)?;
    with_files(connection, files, 50)
}

/// Whether the newest rows have what the migration to this schema has written, or later inserts.
fn newest(connection: &Connection, schema: u32) -> Result<()> {
    let half: u64 = connection.query_row(
        &format!(
            "SELECT count(*) FROM record WHERE v{schema} IS NOT number
                AND sequence > (SELECT max(sequence) FROM record) - {REWRITTEN}"
        ),
        [],
        |row| row.get(0),
    )?;
    ensure!(half == 0, "broken: {half} rows are not of schema {schema}");
    Ok(())
}

/// Whether the newest records that have a file have it: files are written before their records.
fn with_files(connection: &Connection, files: &Files, newest: u64) -> Result<()> {
    let mut rows = connection.prepare(
        "SELECT client, number FROM record WHERE number % ?1 = 0 ORDER BY sequence DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(newest).unwrap_or(i64::MAX);
    for key in rows.query_map((FILES, limit), key)? {
        let key = key?;
        ensure!(files.has(key), "broken: record {key} has no file");
    }
    Ok(())
}

pub(super) fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key {
        client: row.get(0)?,
        number: row.get(1)?,
    })
}
