//! A web service to stand behind a proxy: it shows what reaches it, and misbehaves on demand.
//!
//! | path | response |
//! | --- | --- |
//! | `/sink` | JSON: how many `bytes` of [`pattern`] came, and whether they were `intact` |
//! | `/source/<n>` | so many bytes of [`pattern`]; chunked with `?chunked` |
//! | `/events` | an event stream of what [`Upstream::emit`] says |
//! | `/trailers` | JSON of the request's trailers, and a trailer `x-answer: done` |
//! | `/reply?status=…&header=Name:value&…` | just that |
//! | `/refuse` | 413, without a look at the body |
//! | `/hang` | never, and the body is not read |
//! | `/die` | the connection is closed without a response |
//! | `/die/reused` | the same, but for a connection's first request |
//! | `/die/mid-body` | a chunk, and then the connection is closed; with a length: `?length` |
//! | `/ws` | a WebSocket that echoes; takes the last of the subprotocols; see [`ws`] |
//! | `/ws/refuse` | 403 to whoever wants to upgrade |
//! | `/health` | `{"status":"healthy"}` |
//! | else | JSON of the request's `method`, `target`, `version` and `headers` |

pub mod pattern;
mod responses;
pub mod ws;

use crate::port::listen_again;
use anyhow::Result;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Error>;

fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// The server; ends, with every connection, when it is dropped.
pub struct Upstream {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    accepted: AtomicUsize,
    open: AtomicUsize,
    seen: Mutex<HashMap<String, usize>>,
    events: broadcast::Sender<String>,
    tasks: Mutex<JoinSet<()>>,
}

/// One connection: counted as open while any part of it lives.
struct Connection {
    state: Arc<State>,
    requests: AtomicUsize,
}

impl Upstream {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If there is none.
    pub async fn start() -> Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Listens at `address`.
    ///
    /// # Errors
    /// If it is taken.
    pub async fn start_at(address: SocketAddr) -> Result<Self> {
        let listener = listen_again(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            accepted: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            seen: Mutex::default(),
            events: broadcast::channel(1024).0,
            tasks: Mutex::default(),
        });
        state.spawn(accept(listener, state.clone()));
        Ok(Self { address, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were ever accepted.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open, upgraded ones included.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// How many requests for this path came.
    pub fn seen(&self, path: &str) -> usize {
        lock(&self.state.seen).get(path).copied().unwrap_or(0)
    }

    /// Sends an event to every open `/events`; says to how many.
    pub fn emit(&self, event: &str) -> usize {
        self.state.events.send(event.to_owned()).unwrap_or(0)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        lock(&self.state.tasks).abort_all();
    }
}

impl State {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.tasks).spawn(task);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.state.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        state.accepted.fetch_add(1, Ordering::SeqCst);
        state.open.fetch_add(1, Ordering::SeqCst);
        let connection = Arc::new(Connection {
            state: state.clone(),
            requests: AtomicUsize::new(0),
        });
        state.spawn(serve(stream, connection));
    }
}

async fn serve(stream: TcpStream, connection: Arc<Connection>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| responses::respond(request, connection.clone()));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that goes away is part of many a test.
    let _ = served.with_upgrades().await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
