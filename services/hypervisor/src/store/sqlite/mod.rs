//! The embedded engine: one file, one connection, one writer at a time.
//!
//! Nothing here is on the proxied path, so one connection behind a mutex serves reads too.

mod accounts;
mod admins;
mod archives;
mod audit;
mod backup;
mod changes;
mod columns;
mod grants;
mod history;
mod homes;
mod invites;
mod members;
mod meta;
mod migrate;
mod notices;
mod passkeys;
mod people;
mod probations;
mod recovery;
mod room;
mod sessions;
#[cfg(test)]
mod tests;
mod tokens;
mod users;
mod workspaces;

pub use backup::{backup, restore};

use super::{Store, StoreError};
use crate::private_folder;
use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction, TransactionBehavior};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a backup or an operator's `sqlite3` may hold us up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Rows that a purge changes in one transaction, so that nobody waits long for a turn.
const MOST_AT_ONCE: usize = 1000;

/// A store in an `SQLite` file, in WAL mode, with every commit synced to disk.
#[derive(Debug)]
pub struct Sqlite {
    connection: Mutex<Connection>,
    errors: AtomicU64,
}

impl Store for Sqlite {}

impl Sqlite {
    /// Opens the store, making it (mode 0600) and its folder (0700) if they are not there, and
    /// migrates it to this program's version.
    ///
    /// # Errors
    /// The file cannot be made, is no store, is damaged, or is a newer program's.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make(path).map_err(StoreError::unopened(path))?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        migrate::migrate(&mut connection, path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        Ok(Self {
            connection: Mutex::new(connection),
            errors: AtomicU64::new(0),
        })
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A panic in `work` leaves no transaction open, so the connection is still good.
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.counted(work(&connection))
    }

    /// Counts what says that something is wrong with the store, and not with what it was asked.
    fn counted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result
            && error.is_fault()
        {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// Every row that `sql` finds.
    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: impl FnMut(&Row) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map(params, row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The row that `sql` finds, if there is one.
    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: impl FnOnce(&Row) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.read(|db| Ok(db.prepare_cached(sql)?.query_row(params, row).optional()?))
    }

    /// How many rows `sql` counts.
    fn count(&self, sql: &str, params: impl Params) -> Result<u64, StoreError> {
        let count: i64 = self.read(|db| Ok(db.query_row(sql, params, |row| row.get(0))?))?;
        Ok(count.cast_unsigned())
    }

    /// Runs `work` in one transaction; its error undoes everything.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let written = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        self.counted(written())
    }

    /// Executes one statement; says how many rows it has changed.
    fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.write(|tx| Ok(tx.execute(sql, params)?))
    }

    /// Runs `work` again and again, each time in a transaction of its own, as long as it changes
    /// as many rows as it is allowed to.
    fn write_in_parts(
        &self,
        work: impl Fn(&Transaction, u32) -> rusqlite::Result<usize>,
    ) -> Result<(), StoreError> {
        let most = u32::try_from(MOST_AT_ONCE).unwrap_or(u32::MAX);
        while self.write(|tx| Ok(work(tx, most)?))? == MOST_AT_ONCE {}
        Ok(())
    }
}

/// Makes the file before `SQLite` does, for its own, its WAL's and its folder's modes.
fn make(path: &Path) -> std::io::Result<()> {
    private_folder::make_for(path)?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}
