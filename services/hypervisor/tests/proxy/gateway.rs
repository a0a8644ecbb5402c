//! The proxy behind a bare server, in front of one upstream.

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use hypervisor::config;
use hypervisor::lifetime::Lifetimes;
use hypervisor::peer::Peer;
use hypervisor::proxy::{Caller, Connections, Proxy, ResponseBody, RoutedClaim};
use hypervisor::request_context::RequestContext;
use hypervisor::role::Role;
use hypervisor::server::{self, Entrance, Inbound, RequestHandler};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use testkit::wait::until;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::{LocalSet, spawn_local};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The origin that the proxy is told is its own.
pub const ORIGIN: &str = "http://localhost:9090";
/// The user on whose behalf every request comes.
pub const USER: Uuid = Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd);

/// What is within the quotes of every `ETag`, before what the sandbox wrote.
pub const MARK: &str = "0123456789a";

/// A server that proxies all it gets; ends when dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub drain_deadline: CancellationToken,
    claims: Arc<AtomicUsize>,
    stop: CancellationToken,
    end: CancellationToken,
}

/// What a server may do, by default what the program may.
#[derive(Default)]
pub struct Settings {
    pub proxy: config::Proxy,
    pub server: config::Server,
    /// Whether every peer is a trusted proxy.
    pub trusted: bool,
}

/// Sends every request to one upstream.
struct Front {
    proxy: Proxy,
    upstreams: Rc<Connections>,
    target: Arc<Target>,
    trusted: bool,
}

/// What all claims have together.
struct Target {
    address: SocketAddr,
    drain_deadline: CancellationToken,
    claims: Arc<AtomicUsize>,
}

/// A claim that is counted.
struct Claim(Arc<Target>);

impl Claim {
    fn new(target: &Arc<Target>) -> Self {
        target.claims.fetch_add(1, Ordering::SeqCst);
        Self(target.clone())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.claims.fetch_sub(1, Ordering::SeqCst);
    }
}

impl RoutedClaim for Claim {
    fn address(&self) -> SocketAddr {
        self.0.address
    }
    fn route_id(&self) -> u64 {
        0
    }
    fn workspace(&self) -> &'static str {
        "sandbox"
    }
    fn role(&self) -> Role {
        Role::Live
    }
    fn generation(&self) -> u64 {
        7
    }
    fn validator_mark(&self) -> &'static str {
        MARK
    }
    fn sandbox(&self) -> &'static str {
        "sandbox-live"
    }
    fn drain_deadline(&self) -> &CancellationToken {
        &self.0.drain_deadline
    }
}

impl RequestHandler for Front {
    type Body = ResponseBody<Claim>;

    async fn handle(&self, request: Request<Incoming>, inbound: Inbound) -> Response<Self::Body> {
        let peer = Peer {
            source: inbound.source,
            client: Ipv4Addr::LOCALHOST.into(),
            trusted: self.trusted,
            is_gateway: false,
            carried: None,
            scheme: "http",
        };
        let context = RequestContext::new(inbound.downstream);
        let caller = Caller {
            user: Some((USER, "ada")),
            origin: Some(&HeaderValue::from_static(ORIGIN)),
            own_host: None,
            prefix: None,
            peer: &peer,
            context: &context,
            lifetimes: Lifetimes::default(),
        };
        let claim = Claim::new(&self.target);
        self.proxy
            .forward(&self.upstreams, request, caller, claim)
            .await
    }
}

impl Gateway {
    /// In front of `upstream`, with default settings and no trusted peers.
    #[allow(
        clippy::unused_async,
        reason = "its callers need not know that it does not wait"
    )]
    pub async fn before(upstream: SocketAddr) -> Self {
        Self::start(upstream, |_| ()).await
    }

    /// The same with other settings.
    #[allow(
        clippy::unused_async,
        reason = "its callers need not know that it does not wait"
    )]
    pub async fn start(upstream: SocketAddr, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let gateway = Self {
            address: listener.local_addr().unwrap(),
            drain_deadline: CancellationToken::new(),
            claims: Arc::default(),
            stop: CancellationToken::new(),
            end: CancellationToken::new(),
        };
        let target = Arc::new(Target {
            address: upstream,
            drain_deadline: gateway.drain_deadline.clone(),
            claims: gateway.claims.clone(),
        });
        let (stop, end) = (gateway.stop.clone(), gateway.end.clone());
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let serving = end.run_until_cancelled(serve(listener, target, settings, stop));
            LocalSet::new().block_on(&runtime, serving);
        });
        gateway
    }

    /// Waits until no request holds a claim.
    pub async fn unclaimed(&self) {
        until("no claim is held", || self.claims() == 0).await;
    }

    /// How many claims are held.
    pub fn claims(&self) -> usize {
        self.claims.load(Ordering::SeqCst)
    }

    /// Has each response be the last of its connection.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// A URL of this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// A worker without all the rest of the program.
async fn serve(
    listener: std::net::TcpListener,
    target: Arc<Target>,
    settings: Settings,
    stop: CancellationToken,
) {
    let proxy = Proxy::new(&settings.proxy, "/auth/account");
    let front = Front {
        upstreams: proxy.connections(1),
        proxy,
        target,
        trusted: settings.trusted,
    };
    let connections = server::Connections::new(front, &settings.server, Arc::default(), stop);
    let permits = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((stream, socket)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let permit = permits.clone().acquire_owned().await.unwrap();
        let connections = connections.clone();
        spawn_local(connections.serve(stream, socket.into(), Entrance::Http, permit));
    }
}

/// A body of any kind.
pub type AnyBody = UnsyncBoxBody<Bytes, Infallible>;
/// A client with a pool of its own.
pub type AnyClient = Client<HttpConnector, AnyBody>;

pub fn full(bytes: impl Into<Bytes>) -> AnyBody {
    Full::new(bytes.into()).boxed_unsync()
}

/// A client of HTTP/1.1.
pub fn client() -> AnyClient {
    Client::builder(TokioExecutor::new()).build_http()
}

/// A client of HTTP/2, which it does not ask for first.
pub fn client_of_http2() -> AnyClient {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http()
}

/// The body as text; fails if it was cut.
pub async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The body as JSON.
pub async fn json(response: Response<Incoming>) -> serde_json::Value {
    serde_json::from_str(&text(response).await).unwrap()
}
