//! One client's connection, from its first byte to its last.

use super::framing_filter::{FramingFilter, Tunnel};
use super::handler::{Entrance, Inbound, RequestHandler};
use super::limits::{self, LocalExecutor};
use crate::config;
use crate::downstream::Downstream;
use crate::peer::Source;
use crate::proxy::WriteLimit;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How long a connection has, once nothing more is accepted, for a request that was on its way:
/// it gets its response, and is told that the connection ends with it.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// What becomes of an HTTP/1 connection that a request asked an upgrade for.
#[derive(Clone)]
struct Upgrade {
    tunnel: Tunnel,
    /// The last that was asked for, if it was refused.
    refused: Rc<RefCell<Option<OnUpgrade>>>,
}

impl Upgrade {
    /// Closes a connection whose upgrade was refused: hyper hands it over all the same, and would
    /// else drop it without a word, under bytes that are still on their way.
    async fn close_refused(self) {
        let refused = self.refused.take();
        if let Some(refused) = refused
            && let Ok(connection) = refused.await
        {
            let _ = TokioIo::new(connection).shutdown().await; // It ends either way.
        }
    }
}

/// What all connections of a worker have together.
pub struct Connections<H> {
    handler: H,
    config: config::Server,
    http1: http1::Builder,
    http2: http2::Builder<LocalExecutor>,
    /// Once cancelled, each response is the last of its connection.
    stop: CancellationToken,
    /// Cloned for each connection that stays after its first request.
    keep_alive: std::sync::Arc<()>,
}

impl<H: RequestHandler> Connections<H> {
    /// None yet.
    pub fn new(
        handler: H,
        config: &config::Server,
        keep_alive: std::sync::Arc<()>,
        stop: CancellationToken,
    ) -> Rc<Self> {
        Rc::new(Self {
            handler,
            http1: limits::http1(config),
            http2: limits::http2(config),
            config: config.clone(),
            stop,
            keep_alive,
        })
    }

    /// Serves a connection to its end.
    pub async fn serve<S>(
        self: Rc<Self>,
        stream: S,
        source: Source,
        entrance: Entrance,
        permit: OwnedSemaphorePermit,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let inbound = Inbound {
            source,
            entrance,
            downstream: Downstream::http1(),
        };
        let write_idle = Duration::from_secs(self.config.write_idle_secs);
        let stream = WriteLimit::new(stream, write_idle);
        let tunnel = Tunnel::default();
        let mut filter = FramingFilter::new(stream, &self.config, tunnel.clone(), permit);
        let ended = match filter.is_http2().await {
            Ok(false) => {
                let upgrade = Upgrade {
                    tunnel,
                    refused: Rc::default(),
                };
                let service = self.clone().service(inbound, Some(upgrade.clone()));
                let connection = self.http1.serve_connection(TokioIo::new(filter), service);
                let connection = connection.with_upgrades();
                let ended = self
                    .until_end(connection, http1::UpgradeableConnection::graceful_shutdown)
                    .await;
                upgrade.close_refused().await;
                ended
            }
            Ok(true) => {
                let service = self.clone().service(inbound, None);
                let connection = self.http2.serve_connection(TokioIo::new(filter), service);
                self.until_end(connection, http2::Connection::graceful_shutdown)
                    .await
            }
            Err(error) => {
                return debug!(%error, %source, "connection ended before its first request");
            }
        };
        if let Err(error) = ended {
            debug!(%error, %source, "connection ended");
        }
    }

    /// What hyper calls for each request. Only HTTP/1 has upgrades, and has to be told that its
    /// connection ends.
    fn service(
        self: Rc<Self>,
        inbound: Inbound,
        upgrade: Option<Upgrade>,
    ) -> impl hyper::service::Service<
        Request<Incoming>,
        Response = Response<H::Body>,
        Error = Infallible,
        Future = impl Future<Output = Result<Response<H::Body>, Infallible>> + 'static,
    > + use<H> {
        let keep_alive = std::cell::OnceCell::new();
        service_fn(move |request: Request<Incoming>| {
            let (this, inbound, upgrade) = (self.clone(), inbound.clone(), upgrade.clone());
            keep_alive.get_or_init(|| this.keep_alive.clone());
            async move {
                let asked = request.extensions().get::<OnUpgrade>().cloned();
                let mut response = this.handler.handle(request, inbound).await;
                if let Some(upgrade) = upgrade {
                    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                        upgrade.tunnel.store(true, Ordering::Relaxed);
                        return Ok(response);
                    }
                    if asked.is_some() {
                        upgrade.refused.replace(asked);
                    }
                    if this.stop.is_cancelled() {
                        let close = HeaderValue::from_static("close");
                        response.headers_mut().insert(header::CONNECTION, close);
                    }
                }
                Ok(response)
            }
        })
    }

    /// Drives a connection to its end, which we ask for once nothing more is accepted.
    async fn until_end<C: Future<Output = hyper::Result<()>>>(
        &self,
        connection: C,
        shut_down: impl FnOnce(Pin<&mut C>),
    ) -> hyper::Result<()> {
        let mut connection = pin!(connection);
        tokio::select! {
            // The connection first: it came with a request, and one that has not seen any
            // when it is told to end just closes.
            biased;
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                // One that is idle may have a request on its way.
                if let Ok(ended) = timeout(GRACE, connection.as_mut()).await {
                    return ended;
                }
                shut_down(connection.as_mut());
                connection.await
            }
        }
    }
}
