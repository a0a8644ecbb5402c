//! PostgreSQL, for installations that keep their accounts beside what they have already, or that
//! are to have several machines.
//!
//! Calls block, as those of every engine; what they wait for runs on a thread of this engine's own.

mod commit;
mod connect;
mod migrate;
mod run;
#[cfg(test)]
mod tests;

use super::StoreError;
use super::sql::{Database, Engine, Run, Work};
use crate::config;
use deadpool_postgres::{Client, Pool};
use run::{Patience, Statements};
use sha2::{Digest as _, Sha256};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Mutex;
use uuid::Uuid;

/// A store in a PostgreSQL database, which only one gateway uses at a time.
#[derive(Debug)]
pub(super) struct Postgres {
    pool: Pool,
    patience: Patience,
    /// Held while a transaction writes, until it is known how it ended.
    writing: Mutex<()>,
    /// Who this is among those that may want the store.
    gateway: Uuid,
    /// `None` once it is dropped.
    runtime: Option<Runtime>,
}

impl Database {
    /// Opens the store in this database, and migrates it to this program's version.
    ///
    /// Must not be called from async code, and neither may any of its methods.
    ///
    /// # Errors
    /// The settings make no sense, the server cannot be reached or refuses us, the database is
    /// somebody else's or a newer program's, or another gateway uses it.
    pub fn postgres(settings: &config::Store, url: &str) -> Result<Self, StoreError> {
        Postgres::open(settings, url).map(Self::new)
    }
}

impl Postgres {
    fn open(settings: &config::Store, url: &str) -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let store = Self {
            pool: connect::pool(settings, url)?,
            patience: Patience(Duration::from_secs(settings.timeout_secs)),
            writing: Mutex::new(()),
            gateway: Uuid::new_v4(),
            runtime: Some(runtime),
        };
        store.within(async {
            let mut client = store.client().await?;
            migrate::migrate(&mut client, store.gateway, &place(settings)).await
        })?;
        Ok(store)
    }

    #[expect(clippy::expect_used, reason = "it is there until the drop")]
    fn handle(&self) -> &Handle {
        self.runtime.as_ref().expect("not dropped").handle()
    }

    /// Waits for this, no longer than a statement may take and then some.
    fn within<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.handle().block_on(self.patience.within(work))
    }

    async fn client(&self) -> Result<Client, StoreError> {
        Ok(self.pool.get().await?)
    }
}

/// Where this gateway runs: no other has the same state directory.
fn place(settings: &config::Store) -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    // Machines made of one image may have one name. What tells them apart is not to be told itself.
    let id = std::fs::read("/etc/machine-id").unwrap_or_default();
    let id = Sha256::digest([b"choiros store", &*id].concat());
    let id = u32::from_be_bytes([id[0], id[1], id[2], id[3]]);
    format!("{host} ({id:08x}, {})", settings.path.display())
}

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        let client = self.within(self.client())?;
        let read = work(&Statements::new(self.handle(), &client, self.patience));
        put_back(
            client,
            !read.as_ref().is_err_and(StoreError::breaks_connection),
        );
        read
    }

    fn write(&self, work: Work) -> Result<(), StoreError> {
        let _alone = self.within(async { Ok(self.writing.lock().await) })?;
        let mut client = self.within(self.client())?;
        let written = self.write_by(&mut client, work);
        let is_good = match &written {
            Ok(unknown) => unknown.is_none(),
            Err(error) => !error.breaks_connection(),
        };
        put_back(client, is_good);
        match written? {
            None => Ok(()),
            Some(write) => self.find_out(write),
        }
    }

    fn continue_numbers(&self, run: &dyn Run) -> Result<(), StoreError> {
        let mut counted = Vec::new();
        let sql = "SELECT table_name::text, column_name::text FROM information_schema.columns
                   WHERE table_schema = current_schema() AND is_identity = 'YES'";
        run.query(sql, &[], &mut |row| {
            counted.push((row.get::<String>(0)?, row.get::<String>(1)?));
            Ok(())
        })?;
        for (table, column) in counted {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}'),
                 coalesce(max({column}), 0) + 1, FALSE) FROM {table}"
            );
            run.query(&sql, &[], &mut |_| Ok(()))?;
        }
        Ok(())
    }

    fn renew(&self) -> Result<(), StoreError> {
        self.within(async { commit::renew(&self.client().await?, self.gateway).await })
    }

    fn release(&self) -> Result<(), StoreError> {
        self.within(async { commit::release(&self.client().await?, self.gateway).await })
    }
}

impl Postgres {
    /// Answers with the transaction's name if it is not known whether it was committed. What is not
    /// committed is undone when it is dropped.
    fn write_by(&self, client: &mut Client, work: Work) -> Result<Option<Uuid>, StoreError> {
        let transaction = self.within(async { Ok(client.transaction().await?) })?;
        let write = self.within(commit::begin(&transaction, self.gateway))?;
        work(&Statements::new(self.handle(), &transaction, self.patience))?;
        match self.within(async { Ok(transaction.commit().await?) }) {
            Err(error) if error.breaks_connection() => Ok(Some(write)),
            // It was rejected, so nothing of it is there.
            committed => committed.map(|()| None),
        }
    }

    /// Whether a transaction was committed whose answer was lost, which only the server knows.
    fn find_out(&self, write: Uuid) -> Result<(), StoreError> {
        const PAUSE: Duration = Duration::from_millis(250);
        let begun = Instant::now();
        loop {
            let found = self.within(async {
                commit::is_committed(&self.client().await?, self.gateway, write).await
            });
            match found {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(StoreError::Unreachable(commit::LOST.to_owned())),
                Err(error @ StoreError::Undecided) => return Err(error),
                Err(_) if begun.elapsed() < commit::PATIENCE => std::thread::sleep(PAUSE),
                Err(_) => return Err(StoreError::Undecided),
            }
        }
    }
}

/// Lets others have a connection, if it is good.
fn put_back(client: Client, is_good: bool) {
    if !is_good {
        drop(Client::take(client));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Waiting for it is not allowed where async code drops the store.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
