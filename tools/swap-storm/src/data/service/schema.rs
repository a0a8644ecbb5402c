//! The schema, and how data get it: each version adds a column and fills it in for the newest rows.

use anyhow::{Result, ensure};
use rusqlite::Connection;
use std::path::Path;

/// So many of the newest rows does a migration rewrite.
pub(super) const REWRITTEN: u64 = 1000;

const FIRST: &str = "
    CREATE TABLE IF NOT EXISTS record (
        sequence INTEGER PRIMARY KEY,
        client INTEGER NOT NULL,
        number INTEGER NOT NULL,
        arrivals INTEGER NOT NULL DEFAULT 1,
        text TEXT NOT NULL,
        UNIQUE (client, number)
    );
    CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, rows INTEGER NOT NULL);";

/// The database of a volume.
pub(super) fn open(folder: &Path) -> Result<Connection> {
    let connection = Connection::open(folder.join("records.db"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// Brings the data to this schema, in one transaction for each version.
pub(super) fn migrate(connection: &mut Connection, schema: u32) -> Result<()> {
    let version =
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?;
    ensure!(
        version <= schema,
        "the data have schema {version}, and this release knows {schema} at most"
    );
    if version == 0 {
        connection.execute_batch(FIRST)?;
    }
    for version in version + 1..=schema {
        let migration = connection.transaction()?;
        migration.execute_batch(&format!(
            "ALTER TABLE record ADD COLUMN v{version} INTEGER;
             UPDATE record SET v{version} = number
                WHERE sequence > (SELECT max(sequence) FROM record) - {REWRITTEN};
             INSERT INTO migration SELECT {version}, count(*) FROM record WHERE v{version} NOTNULL;
             PRAGMA user_version = {version};"
        ))?;
        migration.commit()?;
    }
    Ok(())
}
