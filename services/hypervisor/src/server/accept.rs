//! Accepts connections until told to stop, then lets them finish.

use super::dispatch::Gateway;
use super::full::Refusals;
use super::guard::{Guard, Tunnel};
use super::limits;
use crate::config;
use crate::proxy::WriteLimit;
use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// How long a new connection has for its first byte once nothing more is accepted: hyper closes
/// a silent one at once, and the request that was on its way would get no answer.
const SILENCE: Duration = Duration::from_secs(1);

/// Serves `listener` until `stop`, then finishes the requests that were begun, for
/// `shutdown_secs` at most.
pub async fn serve(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    config: &config::Server,
    stop: CancellationToken,
) {
    let builder = limits::builder(config);
    let connections = GracefulShutdown::new();
    let (silent, mut all_spoke) = mpsc::channel(1);
    let places = Arc::new(Semaphore::new(config.max_connections));
    let refusals = Refusals::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, socket) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely; a pause lets some go.
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            refusals.refuse(stream);
            continue;
        };
        if let Err(error) = limits::tune(&stream) {
            debug!(%error, "the connection is already gone");
        }
        let tunnel = Tunnel::default();
        let stream = WriteLimit::new(stream, Duration::from_secs(config.write_idle_secs));
        let guard = Guard::new(stream, config, tunnel.clone(), silent.clone(), place);
        spawn(&builder, &connections, guard, tunnel, &gateway, socket);
    }
    drop((listener, silent));
    let _ = tokio::time::timeout(SILENCE, all_spoke.recv()).await;
    finish(
        connections,
        &gateway,
        Duration::from_secs(config.shutdown_secs),
    )
    .await;
}

fn spawn(
    builder: &Builder<TokioExecutor>,
    connections: &GracefulShutdown,
    guard: Guard<WriteLimit<TcpStream>>,
    tunnel: Tunnel,
    gateway: &Arc<Gateway>,
    socket: SocketAddr,
) {
    let gateway = gateway.clone();
    let service = service_fn(move |request| {
        let (gateway, tunnel) = (gateway.clone(), tunnel.clone());
        async move {
            let response = gateway.handle(request, socket).await;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                tunnel.store(true, Ordering::Relaxed);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(guard), service)
        .into_owned();
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            debug!(%error, %socket, "connection ended");
        }
    });
}

/// Ends what has no end of its own, waits for the rest.
async fn finish(connections: GracefulShutdown, gateway: &Gateway, patience: Duration) {
    info!(open = connections.count(), "shutting down");
    gateway.routes().cut_all();
    let finished = async {
        connections.shutdown().await;
        gateway.routes().idle().await;
    };
    if tokio::time::timeout(patience, finished).await.is_err() {
        warn!("some requests did not finish in time and are cut");
    }
}
