//! The data service, which is what the storm's releases run: numbered records in SQLite and files
//! beside it.
//!
//! A record is acknowledged when its transaction is committed and on the disk (WAL,
//! `synchronous=FULL`), and its file as well if it has one. At its start the service migrates its
//! data to the schema of its release, and refuses data of a newer one: if a release were taken
//! back and the data not, that would be seen.

mod check;
mod feed;
mod files;
mod http;
mod lock;
mod schema;
mod store;

use super::release::{CRASHES_AFTER, Fault, Release};
use crate::types::Run;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What was begun may take so long after a SIGTERM.
const GRACE: Duration = Duration::from_millis(1500);

/// What every connection shares.
struct Service {
    /// Who this is, for the health check.
    name: String,
    role: String,
    run: Run,
    release: Release,
    store: Store,
    /// Whether the end has begun.
    ending: watch::Sender<bool>,
}

/// Runs the data service, told by the environment as every sandbox is, until SIGTERM.
///
/// # Errors
/// It could not start, in a sentence.
pub async fn serve() -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let variable = |name| std::env::var(name).with_context(|| format!("no {name}"));
    let role = variable("SANDBOX_INSTANCE_ROLE")?;
    let release = Release::of_environment(&role)?;
    let folder = PathBuf::from(variable("SANDBOX_DATA_DIR")?);
    let _lock = lock::take(&folder)?;
    let store = Store::open(&folder, release.schema, role == "dev")?;
    if release.fault == Some(Fault::Spoil) {
        store.spoil().await?;
        bail!("the data were migrated and spoilt");
    }
    let service = Arc::new(Service {
        name: variable("SANDBOX_NAME")?,
        role,
        run: Run {
            id: u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?,
            pid: i32::try_from(std::process::id())?,
            release: variable("SANDBOX_RELEASE")?.parse()?,
        },
        release,
        store,
        ending: watch::Sender::new(false),
    });
    let listener = TcpListener::bind(variable("SANDBOX_LISTEN")?).await?;
    if release.fault == Some(Fault::Crash) {
        tokio::spawn(async {
            tokio::time::sleep(CRASHES_AFTER).await;
            std::process::abort();
        });
    }
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(http::serve(stream, service.clone()));
                while connections.try_join_next().is_some() {}
            }
            _ = terminated.recv() => break,
        }
    }
    drop(listener);
    service.ending.send_replace(true);
    let begun = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, begun).await;
    Ok(())
}
