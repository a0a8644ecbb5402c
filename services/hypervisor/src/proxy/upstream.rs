//! The pool of connections to one sandbox.

use super::upload::Upload;
use super::upstream_connection::{self, Connector};
use super::{Limits, seconds};
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The pool of one sandbox in one generation: HTTP/1.1, kept alive.
pub struct Upstream {
    id: u64,
    /// Made for the first request: most sandboxes of a large installation are idle.
    clients: OnceLock<Box<Clients>>,
}

struct Clients {
    pool: Client<Connector, Upload>,
    /// For the second try, which must not meet another dead connection of the pool.
    fresh: Client<Connector, Upload>,
}

impl Clients {
    fn new(limits: Limits) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limits.connect));
        // An open WebSocket has no time limit, so a far end that vanished must be noticed here.
        tcp.set_keepalive(Some(seconds(60)));
        let connector = Connector {
            tcp,
            write_limit: limits.body_idle,
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(limits.pool_idle)
            .http1_max_buf_size(64 * 1024);
        let pool = builder.build(connector.clone());
        let fresh = builder.pool_max_idle_per_host(0).build(connector);
        Self { pool, fresh }
    }
}

impl Upstream {
    /// An empty pool.
    pub fn new() -> Self {
        Self {
            clients: OnceLock::new(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Tells it from all others; the fast path keeps its connections by this.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The response's head. A bodyless idempotent request is tried once more, on a new
    /// connection, if that of the pool proved dead.
    pub(super) async fn send(
        &self,
        request: Request<Upload>,
        limits: Limits,
    ) -> Result<Response<Incoming>, Error> {
        let repeatable = request.method().is_idempotent() && request.body().is_end_stream();
        let again = repeatable.then(|| copy(&request));
        let clients = self.clients.get_or_init(|| Box::new(Clients::new(limits)));
        match (clients.pool.request(request).await, again) {
            (Err(error), Some(again)) if upstream_connection::was_dead(&error) => {
                clients.fresh.request(again).await
            }
            (response, _) => response,
        }
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Self::new()
    }
}

/// The same request; for those without a body.
fn copy(request: &Request<Upload>) -> Request<Upload> {
    let mut copy = Request::new(Upload::none());
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    request.headers().clone_into(copy.headers_mut());
    copy
}
