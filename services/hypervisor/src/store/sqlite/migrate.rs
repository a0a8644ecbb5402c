//! Brings a store's schema to this program's version, forward only.

use crate::store::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// The steps; a store of version n has gone through the first n. Released ones never change.
pub(super) const MIGRATIONS: [&str; 9] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_growth.sql"),
    include_str!("migrations/0003_members.sql"),
    include_str!("migrations/0004_origins.sql"),
    include_str!("migrations/0005_notices.sql"),
    include_str!("migrations/0006_releases.sql"),
    include_str!("migrations/0007_people.sql"),
    include_str!("migrations/0008_homes.sql"),
    include_str!("migrations/0009_moves.sql"),
];

pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let done = match known(connection, path) {
        Err(StoreError::Foreign { .. }) if empty(connection)? => 0,
        done => done?,
    };
    for (version, step) in (1_u32..).zip(MIGRATIONS).skip(done) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
        tracing::info!(path = %path.display(), version, "store migrated");
    }
    Ok(())
}

/// How many steps a store has gone through, if it is one that this program knows.
pub(super) fn known(connection: &Connection, path: &Path) -> Result<usize, StoreError> {
    let found = version(connection)?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        return Err(StoreError::Newer {
            path: path.into(),
            found,
            known: u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX),
        });
    }
    if done == 0 {
        return Err(StoreError::Foreign { path: path.into() });
    }
    Ok(done)
}

fn version(connection: &Connection) -> Result<u32, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn empty(connection: &Connection) -> Result<bool, StoreError> {
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(objects == 0)
}
