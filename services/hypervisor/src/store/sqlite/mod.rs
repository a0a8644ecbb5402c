//! The embedded engine: one file, one connection, one writer at a time.
//!
//! Nothing here is on the proxied path, so one connection behind a mutex serves reads too.

mod backup;
mod migrate;
mod room;
mod run;
#[cfg(test)]
mod tests;

pub use backup::{backup, restore};

use super::StoreError;
use super::sql::{Database, Engine, Work};
use crate::private_folder;
use rusqlite::{Connection, TransactionBehavior};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a backup or an operator's `sqlite3` may hold us up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A store in an `SQLite` file, in WAL mode, with every commit synced to disk.
#[derive(Debug)]
pub(super) struct Sqlite {
    connection: Mutex<Connection>,
}

impl Database {
    /// Opens the store in this file, making it (mode 0600) and its folder (0700) if they are not
    /// there, and migrates it to this program's version.
    ///
    /// # Errors
    /// The file cannot be made, is no store, is damaged, or is a newer program's.
    pub fn sqlite(path: &Path) -> Result<Self, StoreError> {
        Sqlite::open(path).map(Self::new)
    }
}

impl Sqlite {
    fn open(path: &Path) -> Result<Self, StoreError> {
        make(path).map_err(StoreError::unopened(path))?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        run::add_functions(&connection)?;
        migrate::migrate(&mut connection, path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// A panic in what is done with it leaves no transaction open, so it is still good.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        work(&*self.connection())
    }

    fn write(&self, work: Work) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        work(&*transaction)?;
        Ok(transaction.commit()?)
    }

    fn keep_room(&self) -> Result<(), StoreError> {
        room::keep(&mut self.connection())
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
