//! PostgreSQL, for installations that keep their accounts beside what they have already, or that
//! are to have several machines.
//!
//! Calls block, as those of every engine; what they wait for runs on a thread of this engine's own.

mod commit;
mod connect;
mod lease;
mod listen;
mod machines;
mod migrate;
mod patience;
mod run;
#[cfg(test)]
mod tests;

use super::sql::{Database, Engine, Run, Shared, Work};
use super::{Revision, StoreError};
use crate::config;
use deadpool_postgres::{Client, Pool};
use lease::Lease;
use patience::Patience;
use run::Statements;
use sha2::{Digest as _, Sha256};
use std::future::Future;
use std::sync::{self, Arc};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

/// A store in a PostgreSQL database, which one gateway of each machine uses at a time.
#[derive(Debug)]
pub(super) struct Postgres {
    pool: Pool,
    patience: Patience,
    /// Held while a transaction writes, until it is known how it ended.
    writing: Mutex<()>,
    /// Who this is among those that have the store.
    gateway: Uuid,
    /// What is known of the transactions of others.
    known: sync::Mutex<Known>,
    lease: Lease,
    /// Given when one of them may have changed something.
    hint: Arc<Notify>,
    /// `None` once it is dropped.
    runtime: Option<Runtime>,
}

/// While all is well it is asked at least so often what others have changed, and it is known by then
/// that it does not answer.
const ASKED_EACH: Duration = Duration::from_millis(250);

/// How far a gateway knows what others have written.
#[derive(Debug)]
struct Known {
    /// All up to this.
    revision: Revision,
    /// When it was last asked for more.
    asked_at: Instant,
    /// How often it was confirmed.
    confirmed: u64,
}

impl Database {
    /// Opens the store in this database for the gateway of this machine, and migrates it to this
    /// program's version.
    ///
    /// Must not be called from async code, and neither may any of its methods.
    ///
    /// # Errors
    /// The settings make no sense, the server cannot be reached or refuses us, the database is
    /// somebody else's or a newer program's, or the machine has another gateway.
    pub fn postgres(
        settings: &config::Store,
        url: &str,
        machine: &str,
    ) -> Result<Self, StoreError> {
        Postgres::open(settings, url, machine).map(Self::new)
    }
}

impl Postgres {
    fn open(settings: &config::Store, url: &str, machine: &str) -> Result<Self, StoreError> {
        let begun = Instant::now();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let server = connect::Server::new(settings, url)?;
        let pool = server.pool(settings)?;
        let lease = Lease::new(Duration::from_secs(settings.grace_secs));
        let patience = Patience::new(
            Duration::from_secs(settings.timeout_secs),
            lease.lasts().saturating_sub(ASKED_EACH),
        );
        let gateway = Uuid::new_v4();
        let place = place(settings);
        let taken = patience.within(async {
            let mut client = pool.get().await?;
            migrate::migrate(&mut client, gateway, machine, &place).await
        });
        let revision = runtime.block_on(taken)?;
        lease.renew(Instant::now());
        let hint = Arc::new(Notify::new());
        runtime.spawn(listen::listen(server, hint.clone()));
        Ok(Self {
            pool,
            patience,
            writing: Mutex::new(()),
            gateway,
            known: sync::Mutex::new(Known {
                revision,
                asked_at: begun,
                confirmed: 0,
            }),
            lease,
            hint,
            runtime: Some(runtime),
        })
    }

    #[expect(clippy::expect_used, reason = "it is there until the drop")]
    fn handle(&self) -> &Handle {
        self.runtime.as_ref().expect("not dropped").handle()
    }

    /// Waits for this, no longer than a statement may take and then some, and not at all once the
    /// server has answered nobody for as long as a gateway may go on without it.
    fn within<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.handle().block_on(self.patience.unless_silent(work))
    }

    /// Waits for this also then: for what says that the server is there again, and for what may have
    /// been done.
    fn at_any_rate<T>(
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
        let read = work(&Statements::new(self.handle(), &client, &self.patience));
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

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}

impl Postgres {
    /// Answers with the transaction's name if it is not known whether it was committed. What is not
    /// committed is undone when it is dropped.
    fn write_by(&self, client: &mut Client, work: Work) -> Result<Option<Uuid>, StoreError> {
        let transaction = self.within(async { Ok(client.transaction().await?) })?;
        let write = self.within(commit::begin(&transaction, self.gateway))?;
        work(&Statements::new(
            self.handle(),
            &transaction,
            &self.patience,
        ))?;
        match self.at_any_rate(async { Ok(transaction.commit().await?) }) {
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
            // In a transaction of its own, whose lock ends with it.
            let found = self.at_any_rate(async {
                let mut client = self.client().await?;
                let transaction = client.transaction().await?;
                let found = commit::is_committed(&transaction, write).await?;
                transaction.rollback().await?;
                Ok(found)
            });
            match found {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(StoreError::Unreachable(commit::LOST.to_owned())),
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
