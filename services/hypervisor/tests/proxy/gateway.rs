//! The proxy behind a bare server, in front of one upstream.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hypervisor::proxy::{Caller, Proxy, RoutedClaim, Upstream, WriteLimit};
use hypervisor::role::Role;
use hypervisor::server::{Desk, Errand, Handover, Head, Lane, Peer, Source};
use hypervisor::{Body, config};
use std::convert::Infallible;
use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use testkit::wait::until;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join, split};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The origin that the proxy is told is its own.
pub const ORIGIN: &str = "http://localhost:9090";
/// The user on whose behalf every request comes.
pub const USER: Uuid = Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd);

const CALLER: Caller = Caller { user_id: USER };

/// Our cookies, as the auth module names them.
const COOKIES: [&str; 2] = ["choiros", "choiros-ceremony"];

/// Which part of the proxy a connection meets first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// hyper, for whatever comes.
    Hyper,
    /// The fast path, which hands over to hyper what is not plain.
    Fast,
}

/// A server that proxies all it gets; ends when dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub drain_deadline: CancellationToken,
    front: Front,
    plain: Arc<Plain>,
    task: JoinHandle<()>,
}

/// What a server may do, by default what the program may.
#[derive(Default)]
pub struct Settings {
    pub proxy: config::Proxy,
    pub server: config::Server,
    /// Whether every peer is a trusted proxy.
    pub trusted: bool,
}

/// The proxy with its one upstream.
#[derive(Clone)]
struct Front {
    proxy: Arc<Proxy>,
    address: SocketAddr,
    upstream: Arc<Upstream>,
    drain_deadline: CancellationToken,
    claims: Arc<AtomicUsize>,
    trusted: bool,
    write_limit: Duration,
}

/// The fast path's desk, where every request is claimed.
struct Plain {
    front: Front,
    config: config::Server,
    stopping: AtomicBool,
    handed_over: AtomicUsize,
}

/// A claim that is counted.
struct Claim(Front);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.claims.fetch_sub(1, Ordering::SeqCst);
    }
}

impl RoutedClaim for Claim {
    fn address(&self) -> SocketAddr {
        self.0.address
    }
    fn upstream(&self) -> &Upstream {
        &self.0.upstream
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
    fn sandbox(&self) -> &'static str {
        "sandbox-live"
    }
    fn drain_deadline(&self) -> &CancellationToken {
        &self.0.drain_deadline
    }
}

impl Front {
    fn new(address: SocketAddr, settings: &Settings) -> Self {
        let config = &settings.proxy;
        Self {
            proxy: Arc::new(Proxy::new(config, &ORIGIN.parse().unwrap(), &COOKIES)),
            address,
            upstream: Arc::new(Upstream::new()),
            drain_deadline: CancellationToken::new(),
            claims: Arc::default(),
            trusted: settings.trusted,
            write_limit: Duration::from_secs(settings.server.write_idle_secs),
        }
    }

    fn claim(&self) -> Claim {
        self.claims.fetch_add(1, Ordering::SeqCst);
        Claim(self.clone())
    }

    /// Serves a connection with hyper.
    async fn serve(self, stream: impl Stream, source: Source) {
        let peer = Peer {
            source,
            client: Ipv4Addr::LOCALHOST.into(),
            trusted: self.trusted,
            scheme: "http",
        };
        let stream = TokioIo::new(WriteLimit::new(stream, self.write_limit));
        let service = service_fn(move |request: Request<Incoming>| {
            let (this, peer, claim) = (self.clone(), peer.clone(), self.claim());
            async move {
                let request = request.map(Body::new);
                let response = this.proxy.forward(request, &peer, &CALLER, claim).await;
                Ok::<_, Infallible>(response)
            }
        });
        let builder = auto::Builder::new(TokioExecutor::new());
        let _ = builder
            .serve_connection_with_upgrades(stream, service)
            .await;
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

impl Desk for Plain {
    type Claim = Claim;

    fn proxy(&self) -> &Proxy {
        &self.front.proxy
    }
    fn config(&self) -> &config::Server {
        &self.config
    }
    fn trusts(&self, _: &Source) -> bool {
        self.front.trusted
    }
    fn errand(&self, _: &Head<'_>) -> Errand<Claim> {
        Errand::Go(CALLER, self.front.claim())
    }
    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
    fn count_response(&self, _: StatusCode) {}
    fn take(&self, connection: Handover) {
        self.handed_over.fetch_add(1, Ordering::SeqCst);
        let (read, write) = split(connection.stream.attach().unwrap());
        let read = Cursor::new(connection.read).chain(read);
        let serve = self
            .front
            .clone()
            .serve(join(read, write), connection.source);
        tokio::spawn(serve);
    }
}

impl Gateway {
    /// In front of `upstream`, with default settings and no trusted peers.
    pub async fn before(path: Path, upstream: SocketAddr) -> Self {
        Self::start(path, upstream, |_| ()).await
    }

    /// The same with other settings.
    pub async fn start(
        path: Path,
        upstream: SocketAddr,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let front = Front::new(upstream, &settings);
        let plain = Arc::new(Plain {
            front: front.clone(),
            config: settings.server,
            stopping: AtomicBool::new(false),
            handed_over: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lane = Arc::new(Lane::new(plain.clone(), Arc::default()));
        let accepting = front.clone();
        let task = tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
            while let Ok((stream, socket)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let place = places.clone().acquire_owned().await.unwrap();
                let (front, lane) = (accepting.clone(), lane.clone());
                tokio::spawn(async move {
                    match path {
                        Path::Hyper => front.serve(stream, socket.into()).await,
                        Path::Fast => lane.serve(Either::Left(stream), socket.into(), place).await,
                    }
                });
            }
        });
        Self {
            address,
            drain_deadline: front.drain_deadline.clone(),
            front,
            plain,
            task,
        }
    }

    /// Waits until no request holds a claim.
    pub async fn unclaimed(&self) {
        until("no claim is held", || self.claims() == 0).await;
    }

    /// How many claims are held.
    pub fn claims(&self) -> usize {
        self.front.claims.load(Ordering::SeqCst)
    }

    /// How many connections the fast path left to hyper.
    pub fn handed_over(&self) -> usize {
        self.plain.handed_over.load(Ordering::SeqCst)
    }

    /// Has each response of the fast path be the last of its connection.
    pub fn stop(&self) {
        self.plain.stopping.store(true, Ordering::SeqCst);
    }

    /// A URL of this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
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
