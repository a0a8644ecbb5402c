//! All that the store does, in the SQL that its engines have in common.
//!
//! Statements number their values: `?1`, `?2`. Each column is of a type that [`value`] knows.

mod accounts;
mod admins;
mod archives;
mod audit;
mod changes;
mod copy;
mod grants;
mod history;
mod homes;
mod invites;
mod machines;
mod members;
mod meta;
mod moves;
mod notices;
mod passkeys;
mod people;
mod probations;
mod recovery;
mod sessions;
mod statements;
#[cfg(test)]
pub(super) mod tests;
mod tokens;
mod users;
pub(super) mod value;
mod workspaces;

pub(super) use machines::Shared;
use statements::Statements;
pub(super) use statements::{Rejected, Run};
use value::{Row, Value, params};

use super::{Store, StoreError};
use crate::config::Config;
use crate::timestamp::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows that a purge changes in one transaction, so that nobody waits long for a turn.
const MOST_AT_ONCE: usize = 1000;

/// What runs statements, and keeps what they change.
pub(super) trait Engine: std::fmt::Debug + Send + Sync {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Runs `work`, which only reads.
    fn read(&self, work: Work) -> Result<(), StoreError>;

    /// Runs `work` in one transaction, alone among those that write; its error undoes everything.
    fn write(&self, work: Work) -> Result<(), StoreError>;

    /// Makes room for what is written next, where others may fill the disk.
    fn keep_room(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Has rows to come numbered after those that are there, though their numbers were not the
    /// engine's own.
    fn continue_numbers(&self, _run: &dyn Run) -> Result<(), StoreError> {
        Ok(())
    }

    /// What has several gateways know of each other, where there may be several.
    fn shared(&self) -> Option<&dyn Shared> {
        None
    }
}

/// What an engine runs, once.
pub(super) type Work<'w> = Box<dyn FnOnce(&dyn Run) -> Result<(), StoreError> + 'w>;

/// A store in a database.
#[derive(Debug)]
pub struct Database {
    engine: Box<dyn Engine>,
    errors: AtomicU64,
}

impl Store for Database {}

impl Database {
    pub(super) fn new(engine: impl Engine + 'static) -> Self {
        Self {
            engine: Box::new(engine),
            errors: AtomicU64::new(0),
        }
    }

    /// Opens the store that the configuration names. Blocks, and so does all that is done with it.
    ///
    /// # Errors
    /// Those of [`Self::sqlite`] and [`Self::postgres`].
    pub fn open(config: &Config) -> Result<Self, StoreError> {
        let settings = &config.store;
        match &settings.url {
            Some(url) => Self::postgres(settings, url, config.machine()),
            None => Self::sqlite(&settings.path),
        }
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Statements) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.run(|engine, work| engine.read(work), work)
    }

    /// Runs `work` in one transaction; its error undoes everything.
    fn write<T>(
        &self,
        work: impl FnOnce(&Statements) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.run(|engine, work| engine.write(work), work)
    }

    /// Runs `work` as the engine does it; says what came of it.
    fn run<T>(
        &self,
        how: impl FnOnce(&dyn Engine, Work) -> Result<(), StoreError>,
        work: impl FnOnce(&Statements) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut value = None;
        let work = |run: &dyn Run| {
            value = Some(work(&Statements(run))?);
            Ok(())
        };
        let done = how(&*self.engine, Box::new(work));
        self.counted(done.and_then(|()| value.ok_or(StoreError::Interrupted)))
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
        params: &[Value],
        row: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.read(|db| db.all(sql, params, row))
    }

    /// The row that `sql` finds, if there is one.
    fn one<T>(
        &self,
        sql: &str,
        params: &[Value],
        row: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.read(|db| db.one(sql, params, row))
    }

    /// How many rows `sql` counts.
    fn count(&self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.read(|db| db.value(sql, params))
    }

    /// Executes one statement; says how many rows it has changed.
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize, StoreError> {
        self.write(|tx| Ok(tx.execute(sql, params)?))
    }

    /// Executes a statement that changes so many rows at most, in a transaction of its own, as long
    /// as it changes as many. `past` is its first value, and how many its second.
    fn purge(&self, sql: &str, past: Timestamp) -> Result<(), StoreError> {
        let most = u64::try_from(MOST_AT_ONCE).unwrap_or(u64::MAX);
        while self.execute(sql, params![past, most])? == MOST_AT_ONCE {}
        Ok(())
    }
}

#[cfg(test)]
impl<E: Engine> Engine for std::sync::Arc<E> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        (**self).read(work)
    }

    fn write(&self, work: Work) -> Result<(), StoreError> {
        (**self).write(work)
    }
}
