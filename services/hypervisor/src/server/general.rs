//! Connections that hyper serves: HTTP/2, upgrades, our own pages, and whatever is doubtful.

use super::dispatch::Gateway;
use super::guard::{Guard, Tunnel};
use super::limits;
use crate::config;
use crate::proxy::WriteLimit;
use bytes::Bytes;
use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

/// Serves what the workers do not, on the runtime that it was made on.
pub(super) struct General {
    runtime: Handle,
    builder: Builder<TokioExecutor>,
    /// None once they are to end.
    connections: Mutex<Option<GracefulShutdown>>,
    gateway: Arc<Gateway>,
    config: config::Server,
}

/// A connection, and what was read from it and not answered.
pub struct Handover {
    /// The connection, on no runtime.
    pub stream: std::net::TcpStream,
    /// What was read.
    pub read: Bytes,
    /// The far end.
    pub socket: SocketAddr,
    pub(super) place: OwnedSemaphorePermit,
}

impl General {
    pub(super) fn new(gateway: Arc<Gateway>, config: &config::Server) -> Self {
        Self {
            runtime: Handle::current(),
            builder: limits::builder(config),
            connections: Mutex::new(Some(GracefulShutdown::new())),
            gateway,
            config: config.clone(),
        }
    }

    /// Where whatever is not a worker's runs.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Serves a connection from here on.
    pub(super) fn take(self: &Arc<Self>, handover: Handover) {
        let this = self.clone();
        let Some(watcher) = self.connections().as_ref().map(GracefulShutdown::watcher) else {
            return;
        };
        self.runtime.spawn(async move {
            let Handover {
                stream,
                read,
                socket,
                place,
            } = handover;
            let Ok(stream) = TcpStream::from_std(stream) else {
                return; // Out of file descriptors for the poller: nothing can be read.
            };
            let stream = WriteLimit::new(stream, Duration::from_secs(this.config.write_idle_secs));
            let tunnel = Tunnel::default();
            let guard = Guard::new(stream, &this.config, tunnel.clone(), read, place);
            let gateway = this.gateway.clone();
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
            let connection = this
                .builder
                .serve_connection_with_upgrades(TokioIo::new(guard), service)
                .into_owned();
            if let Err(error) = watcher.watch(connection).await {
                debug!(%error, %socket, "connection ended");
            }
        });
    }

    /// Resolves when the requests that were begun are answered.
    pub(super) async fn finish(&self) {
        let connections = self.connections().take();
        if let Some(connections) = connections {
            connections.shutdown().await;
        }
    }

    fn connections(&self) -> MutexGuard<'_, Option<GracefulShutdown>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
