//! Has workers accept connections until told to stop, then lets them finish.

use super::dispatch::Gateway;
use super::listener::Listener;
use super::overload::Overload;
use super::worker::{self, Shared, Worker};
use crate::config;
use crate::gate::Gate;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Serves all `listeners` until `stop`, then finishes the requests that were begun, for
/// `shutdown_secs` at most.
///
/// # Errors
/// When the workers cannot be started.
pub async fn serve(
    listeners: Vec<Listener>,
    gateway: Arc<Gateway>,
    config: &config::Server,
    stop: CancellationToken,
) -> io::Result<()> {
    for listener in &listeners {
        listener.tune()?;
    }
    let count = worker::count();
    let shared = Arc::new(Shared {
        gateway: gateway.clone(),
        runtime: Handle::current(),
        config: config.clone(),
        open: (0..count).map(|_| Arc::new(Gate::new())).collect(),
        keep_alive: (0..count).map(|_| Arc::default()).collect(),
        permits: Arc::new(Semaphore::new(config.max_connections)),
        overload: Overload::new(),
        stop: stop.clone(),
    });
    let workers = (0..count)
        .map(|index| {
            let own = listeners.iter().map(Listener::try_clone);
            Worker::start(own.collect::<io::Result<_>>()?, shared.clone(), index)
        })
        .collect::<io::Result<Vec<_>>>()?;
    drop((listeners, shared));
    stop.cancelled().await;
    let limit = Duration::from_secs(config.shutdown_secs);
    let finished = tokio::time::timeout(limit, finish(workers, &gateway));
    if finished.await.is_err() {
        warn!("some requests did not finish in time and are cut");
    }
    Ok(())
}

/// Ends what has no end of its own, waits for the rest.
async fn finish(workers: Vec<Worker>, gateway: &Gateway) {
    info!("shutting down");
    gateway.routes().expire_drain_deadlines();
    for worker in workers {
        worker.finished().await;
    }
    gateway.routes().idle().await;
}
