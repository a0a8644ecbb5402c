//! The proxy behind a bare server, in front of one upstream.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hypervisor::proxy::{Caller, Proxy, Target, Upstream, WriteLimit};
use hypervisor::routes::Role;
use hypervisor::server::Peer;
use hypervisor::{Body, config};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::wait::until;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The origin that the proxy is told is its own.
pub const ORIGIN: &str = "http://localhost:9090";
/// The user on whose behalf every request comes.
pub const USER: Uuid = Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd);

/// Our cookies, as the auth module names them.
const COOKIES: [&str; 2] = ["choiros", "choiros-ceremony"];

/// A server that proxies all it gets; ends when dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub cut: CancellationToken,
    claims: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// A claim that is counted.
struct Claim {
    address: SocketAddr,
    upstream: Arc<Upstream>,
    cut: CancellationToken,
    claims: Arc<AtomicUsize>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Target for Claim {
    fn address(&self) -> SocketAddr {
        self.address
    }
    fn upstream(&self) -> &Upstream {
        &self.upstream
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
    fn cut(&self) -> &CancellationToken {
        &self.cut
    }
}

impl Gateway {
    /// In front of `upstream`, with default settings and no trusted peers.
    pub async fn before(upstream: SocketAddr) -> Self {
        Self::start(upstream, false, |_| ()).await
    }

    /// The same with other settings.
    pub async fn start(
        upstream: SocketAddr,
        trusted: bool,
        settings: impl FnOnce(&mut config::Proxy),
    ) -> Self {
        let mut config = config::Proxy::default();
        settings(&mut config);
        let proxy = Arc::new(Proxy::new(&config, &ORIGIN.parse().unwrap(), &COOKIES));
        let pool = Arc::new(Upstream::new(&config));
        let cut = CancellationToken::new();
        let claims = Arc::new(AtomicUsize::new(0));
        let claim = {
            let (cut, claims) = (cut.clone(), claims.clone());
            move || {
                claims.fetch_add(1, Ordering::SeqCst);
                Claim {
                    address: upstream,
                    upstream: pool.clone(),
                    cut: cut.clone(),
                    claims: claims.clone(),
                }
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let write_limit = Duration::from_secs(config.body_idle_secs);
        let task = tokio::spawn(async move {
            while let Ok((stream, socket)) = listener.accept().await {
                let peer = Peer {
                    socket,
                    client: socket.ip(),
                    trusted,
                    scheme: "http",
                };
                stream.set_nodelay(true).unwrap();
                let stream = WriteLimit::new(stream, write_limit);
                tokio::spawn(serve(stream, peer, proxy.clone(), claim.clone()));
            }
        });
        Self {
            address,
            cut,
            claims,
            task,
        }
    }

    /// Waits until no request holds a claim.
    pub async fn unclaimed(&self) {
        until("no claim is held", || {
            self.claims.load(Ordering::SeqCst) == 0
        })
        .await;
    }

    /// How many claims are held.
    pub fn claims(&self) -> usize {
        self.claims.load(Ordering::SeqCst)
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

async fn serve(
    stream: WriteLimit<TcpStream>,
    peer: Peer,
    proxy: Arc<Proxy>,
    claim: impl Fn() -> Claim + Clone + Send + 'static,
) {
    let caller = Caller { user_id: USER };
    let service = service_fn(move |request: Request<Incoming>| {
        let (peer, proxy, claim) = (peer.clone(), proxy.clone(), claim());
        async move {
            let request = request.map(Body::new);
            let answer = proxy.forward(request, &peer, &caller, claim).await;
            Ok::<_, Infallible>(answer)
        }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let _ = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await;
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
