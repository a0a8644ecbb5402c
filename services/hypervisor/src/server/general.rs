//! Connections that hyper serves: HTTP/2, upgrades, our own pages, and whatever is doubtful.

use super::dispatch::Gateway;
use super::framing_filter::{FramingFilter, Tunnel};
use super::limits;
use super::stream::{Detached, Source};
use super::worker::GRACE;
use crate::config;
use crate::proxy::WriteLimit;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

/// Serves what the workers do not, on the runtime that it was made on.
pub(super) struct General {
    runtime: Handle,
    builder: Builder<TokioExecutor>,
    connections: TaskTracker,
    /// Once cancelled, each answer is the last of its connection.
    stop: CancellationToken,
    gateway: Arc<Gateway>,
    config: config::Server,
}

/// A connection, and what was read from it and not answered.
pub struct Handover {
    /// The connection, on no runtime.
    pub stream: Detached,
    /// What was read.
    pub read: Bytes,
    /// The far end.
    pub source: Source,
    pub(super) place: OwnedSemaphorePermit,
}

impl General {
    pub(super) fn new(
        gateway: Arc<Gateway>,
        config: &config::Server,
        stop: CancellationToken,
    ) -> Self {
        Self {
            runtime: Handle::current(),
            builder: limits::builder(config),
            connections: TaskTracker::new(),
            stop,
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
        let serving = async move {
            let Handover {
                stream,
                read,
                source,
                place,
            } = handover;
            let Ok(stream) = stream.attach() else {
                return; // Out of file descriptors for the poller: nothing can be read.
            };
            let stream = WriteLimit::new(stream, Duration::from_secs(this.config.write_idle_secs));
            let tunnel = Tunnel::default();
            let guard = FramingFilter::new(stream, &this.config, tunnel.clone(), read, place);
            let (gateway, stop) = (this.gateway.clone(), this.stop.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (gateway, tunnel, stop) = (gateway.clone(), tunnel.clone(), stop.clone());
                async move {
                    let plain = request.version() < Version::HTTP_2;
                    let mut response = gateway.handle(request, source).await;
                    if plain && stop.is_cancelled() && !response.status().is_informational() {
                        let close = HeaderValue::from_static("close");
                        response.headers_mut().insert(header::CONNECTION, close);
                    }
                    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                        tunnel.store(true, Ordering::Relaxed);
                    }
                    Ok::<_, Infallible>(response)
                }
            });
            let connection = this
                .builder
                .serve_connection_with_upgrades(TokioIo::new(guard), service);
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                // The connection first: it came with a request, and one that has not seen any
                // when it is told to end just closes.
                biased;
                ended = connection.as_mut() => ended,
                () = this.stop.cancelled() => {
                    // One that is idle may have a request on its way.
                    if let Ok(ended) = timeout(GRACE, connection.as_mut()).await {
                        ended
                    } else {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                }
            };
            if let Err(error) = ended {
                debug!(%error, %source, "connection ended");
            }
        };
        self.connections.spawn_on(serving, &self.runtime);
    }

    /// Resolves when the requests that were begun are answered, once `stop` is cancelled.
    pub(super) async fn finish(&self) {
        self.connections.close();
        self.connections.wait().await;
    }
}
