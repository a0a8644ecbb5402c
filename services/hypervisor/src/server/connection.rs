//! One client's connection, from its first byte to its last.
//!
//! It costs little until a request is there, and again once it waited some time for the next
//! one: hyper and its buffers are there for requests alone.

use super::exchange::Exchange;
use super::filter::{FramingFilter, Protocol};
use super::handler::{Entrance, Inbound, RequestHandler};
use super::limits;
use super::refused;
use super::response::ResponseBody;
use crate::config;
use crate::downstream::Downstream;
use crate::local_executor::LocalExecutor;
use crate::peer::Source;
use crate::proxy::WriteLimit;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How long a connection has, once nothing more is accepted, for a request that was on its way:
/// it gets its response, and is told that the connection ends with it.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// How long a connection without a request keeps hyper's buffers.
const PARK: Duration = Duration::from_millis(500);

/// What all connections of a worker have together.
pub struct Connections<H> {
    handler: H,
    config: config::Server,
    idle: Duration,
    http1: http1::Builder,
    http2: http2::Builder<LocalExecutor>,
    http2_of_gateways: http2::Builder<LocalExecutor>,
    /// Once cancelled, each response is the last of its connection.
    stop: CancellationToken,
    /// Cloned for each connection that stays after its first request.
    keep_alive: Arc<()>,
}

/// A connection's stream, below hyper.
type Filter<S> = FramingFilter<WriteLimit<S>>;

impl<H: RequestHandler> Connections<H> {
    /// None yet.
    pub fn new(
        handler: H,
        config: &config::Server,
        keep_alive: Arc<()>,
        stop: CancellationToken,
    ) -> Rc<Self> {
        Rc::new(Self {
            handler,
            idle: Duration::from_secs(config.idle_secs),
            http1: limits::http1(config),
            http2: limits::http2(config),
            http2_of_gateways: limits::http2_of_gateways(config),
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
        let write_idle = Duration::from_secs(self.config.write_idle_secs);
        let stream = WriteLimit::new(stream, write_idle);
        let mut filter = FramingFilter::new(stream, &self.config, permit);
        let head_time = Duration::from_secs(self.config.header_read_secs);
        let mut protocol = self.wait(&mut filter, head_time).await;
        // A parked one is as likely to go on as one with hyper.
        let _keep_alive = protocol.is_ok().then(|| self.keep_alive.clone());
        loop {
            // Both are boxed, for they are large, and there only now and then.
            match protocol {
                Ok(Protocol::Http1) => match Box::pin(self.http1(filter, source, entrance)).await {
                    Some(parked) => filter = parked,
                    None => return,
                },
                Ok(Protocol::Http2) => {
                    return Box::pin(self.http2(filter, source, entrance)).await;
                }
                Err(error) => {
                    debug!(%error, %source, "connection ended between requests");
                    let _ = filter.shutdown().await; // It may be gone, or be told so.
                    return;
                }
            }
            let rest = self.idle.saturating_sub(PARK);
            protocol = self.wait(&mut filter, rest).await;
        }
    }

    /// Waits for a request, for so long at most.
    async fn wait<S>(&self, filter: &mut Filter<S>, limit: Duration) -> io::Result<Protocol>
    where
        S: AsyncRead + Unpin,
    {
        let waited = tokio::select! {
            biased;
            first = timeout(limit, filter.first()) => first,
            // One that was idle may have a request on its way.
            () = self.stop.cancelled() => timeout(GRACE, filter.first()).await,
        };
        match waited {
            Ok(first) => first,
            // That has a time of its own.
            Err(_) if filter.has_begun() && !self.stop.is_cancelled() => filter.first().await,
            Err(late) => Err(late.into()),
        }
    }

    /// Serves the requests of a connection whose first is there, until it ended or, which gives
    /// it back, had none for some time.
    async fn http1<S>(
        self: &Rc<Self>,
        filter: Filter<S>,
        source: Source,
        entrance: Entrance,
    ) -> Option<Filter<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let exchange = filter.exchange().clone();
        let service = self
            .clone()
            .http1_service(exchange.clone(), source, entrance);
        let mut connection = self.http1.serve_connection(TokioIo::new(filter), service);
        let park = PARK.min(self.idle);
        let mut requests = exchange.requests();
        let mut timer = pin!(sleep(park));
        let mut stopping = false;
        loop {
            tokio::select! {
                // The connection first: it came with a request, and one that has not seen any
                // when it is told to end just closes.
                biased;
                ended = &mut connection => {
                    // What was broken off must not look whole, as it would after an end in order.
                    if ended.is_ok() {
                        // hyper drops a connection whose client asked for an upgrade in vain.
                        let _ = without_hyper(connection.into_parts()).shutdown().await;
                    }
                    tell_end(ended, source);
                    return None;
                }
                () = switched(&exchange) => {
                    tell_end(connection.with_upgrades().await, source);
                    return None;
                }
                () = &mut timer => {
                    if stopping {
                        std::pin::Pin::new(&mut connection).graceful_shutdown();
                        timer.as_mut().reset(Instant::now() + self.idle);
                        continue;
                    }
                    if exchange.is_idle() && requests == exchange.requests() {
                        return Some(without_hyper(connection.into_parts()));
                    }
                    requests = exchange.requests();
                    timer.as_mut().reset(Instant::now() + park);
                }
                () = self.stop.cancelled(), if !stopping => {
                    // One that is idle may have a request on its way.
                    stopping = true;
                    timer.as_mut().reset(Instant::now() + GRACE);
                }
            }
        }
    }

    /// Serves a connection of HTTP/2.
    async fn http2<S>(self: &Rc<Self>, filter: Filter<S>, source: Source, entrance: Entrance)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let this = self.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let this = this.clone();
            let inbound = Inbound {
                source,
                entrance,
                downstream: Downstream::default(),
            };
            // It is large, and hyper moves it several times before it has a task of its own.
            Box::pin(async move {
                let response = this.handler.handle(request, inbound).await;
                Ok::<_, Infallible>(ResponseBody::handler(response, None))
            })
        });
        let http2 = match entrance {
            Entrance::Gateway => &self.http2_of_gateways,
            _ => &self.http2,
        };
        let mut connection = pin!(http2.serve_connection(TokioIo::new(filter), service));
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                if let Ok(ended) = timeout(GRACE, connection.as_mut()).await {
                    ended
                } else {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        tell_end(ended, source);
    }

    /// What hyper calls for each request of an HTTP/1 connection.
    #[allow(
        clippy::type_complexity,
        reason = "its parts have no names that could be given"
    )]
    fn http1_service(
        self: Rc<Self>,
        exchange: Exchange,
        source: Source,
        entrance: Entrance,
    ) -> impl Service<
        Request<Incoming>,
        Response = Response<ResponseBody<H::Body>>,
        Error = Infallible,
        Future = impl Future<Output = Result<Response<ResponseBody<H::Body>>, Infallible>> + 'static,
    > + use<H> {
        service_fn(move |request: Request<Incoming>| {
            let (this, exchange) = (self.clone(), exchange.clone());
            let inbound = Inbound {
                source,
                entrance,
                downstream: exchange.downstream().clone(),
            };
            async move { Ok(this.respond(request, inbound, exchange).await) }
        })
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        inbound: Inbound,
        exchange: Exchange,
    ) -> Response<ResponseBody<H::Body>> {
        let mut response = if let Some((refusal, for_page)) = exchange.take_refusal() {
            self.handler.refused(refusal.status);
            ResponseBody::refusal(refused::response(refusal, for_page), exchange.clone())
        } else {
            let response = self.handler.handle(request, inbound).await;
            ResponseBody::handler(response, Some(exchange.clone()))
        };
        exchange.downstream().respond();
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            exchange.switch();
            yield_now().await; // Whoever drives the connection has to prepare for it.
            return response;
        }
        if !exchange.is_read() {
            // hyper looks whether anybody still reads the request, and has the response say that
            // the connection ends if not.
            yield_now().await;
        }
        if self.stop.is_cancelled() || exchange.is_broken() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }
}

/// Resolves at the first poll of its task after the connection was to become a tunnel.
async fn switched(exchange: &Exchange) {
    let is_switched = |_: &mut Context<'_>| {
        if exchange.is_switched() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    };
    poll_fn(is_switched).await;
}

fn tell_end(ended: hyper::Result<()>, source: Source) {
    if let Err(error) = ended {
        debug!(%error, %source, "connection ended");
    }
}

/// Takes the stream from a hyper that has nothing to do.
fn without_hyper<S, V>(parts: http1::Parts<TokioIo<Filter<S>>, V>) -> Filter<S> {
    let mut filter = parts.io.into_inner();
    filter.put_back(&parts.read_buf);
    filter
}
