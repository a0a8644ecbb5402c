//! One worker's connections to the sandboxes, and those of them that wait for a request.

use super::Limits;
use super::upload::Upload;
use super::upstream_connection::{ConnectionState, UpstreamConnection};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

/// How often those that waited too long are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("{0}")]
    Connect(io::Error),
    #[error("{0}")]
    Exchange(hyper::Error),
}

/// The connections of one worker, by the route that they belong to: those of an old generation
/// are never found again, and end with their time.
pub struct Connections {
    limits: Limits,
    /// How many sweeps a connection may wait through.
    patience: u64,
    every: Duration,
    /// How many there were: a clock that costs nothing to read.
    sweeps: Cell<u64>,
    idle: RefCell<Idle>,
    /// What goes on after a response: tunnels, and bodies that are read to their end.
    pub(super) tasks: TaskTracker,
}

#[derive(Default)]
struct Idle {
    of: HashMap<u64, Vec<IdleConnection>>,
    count: usize,
}

struct IdleConnection {
    connection: Connection,
    since: u64,
}

/// A connection to a sandbox that carries one request at a time.
pub(super) struct Connection {
    sender: SendRequest<Upload>,
    state: Arc<ConnectionState>,
}

/// A response that has begun, and the connection that its body comes by.
pub(super) struct Begun {
    pub(super) response: Response<Incoming>,
    pub(super) connection: Connection,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        let every = SWEEP.min(limits.pool_idle).max(Duration::from_secs(1));
        Rc::new(Self {
            patience: limits.pool_idle.as_secs() / every.as_secs(),
            every,
            limits,
            sweeps: Cell::new(0),
            idle: RefCell::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// The response's head. A request that went nowhere, because its connection had waited and
    /// proved dead, is sent once more by a new one, if it may be repeated.
    pub(super) async fn send(
        &self,
        route: u64,
        address: SocketAddr,
        request: Request<Upload>,
    ) -> Result<Begun, SendError> {
        let repeatable = request.method().is_idempotent() && request.body().is_none();
        let mut request = request;
        while let Some(mut connection) = self.take(route) {
            if connection.sender.ready().await.is_err() {
                continue; // Closed by its sandbox.
            }
            let again = repeatable.then(|| copy(&request));
            let mut error = match connection.sender.try_send_request(request).await {
                Ok(response) => {
                    return Ok(Begun {
                        response,
                        connection,
                    });
                }
                Err(error) => error,
            };
            request = match (error.take_message(), again) {
                // Not a byte of it was sent.
                (Some(unsent), _) => unsent,
                (None, Some(again)) if connection.state.was_dead() => again,
                (None, _) => return Err(SendError::Exchange(error.into_error())),
            };
            // What else waits may be as dead.
            break;
        }
        self.send_anew(address, request).await
    }

    async fn send_anew(
        &self,
        address: SocketAddr,
        request: Request<Upload>,
    ) -> Result<Begun, SendError> {
        let mut connection = self.connect(address).await?;
        match connection.sender.send_request(request).await {
            Ok(response) => Ok(Begun {
                response,
                connection,
            }),
            Err(error) => Err(SendError::Exchange(error)),
        }
    }

    async fn connect(&self, address: SocketAddr) -> Result<Connection, SendError> {
        let limit = self.limits.connect;
        let Ok(connected) = timeout(limit, TcpStream::connect(address)).await else {
            let why = format!("no connection within {} seconds", limit.as_secs());
            let error = io::Error::new(io::ErrorKind::TimedOut, why);
            return Err(SendError::Connect(error));
        };
        let stream = connected.map_err(SendError::Connect)?;
        let stream =
            UpstreamConnection::new(stream, self.limits.body_idle).map_err(SendError::Connect)?;
        let state = stream.state();
        let (sender, connection) = Builder::new()
            .max_buf_size(64 * 1024)
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(SendError::Exchange)?;
        // Ends with its sender, or with the upgraded connection.
        tokio::task::spawn_local(async move {
            let _ = connection.with_upgrades().await; // Whoever sent the request hears of it.
        });
        Ok(Connection { sender, state })
    }

    /// The connection that was used last, if it is still good.
    fn take(&self, route: u64) -> Option<Connection> {
        let idle = &mut *self.idle.borrow_mut();
        let waiting = idle.of.get_mut(&route)?;
        while let Some(last) = waiting.pop() {
            idle.count -= 1;
            if !last.connection.sender.is_closed() {
                return Some(last.connection);
            }
        }
        None
    }

    /// Has a connection wait for the next request, or closes it if too many do.
    pub(super) fn put(&self, route: u64, connection: Connection) {
        let since = self.sweeps.get();
        let idle = &mut *self.idle.borrow_mut();
        if idle.count < self.limits.pool_most && !connection.sender.is_closed() {
            idle.count += 1;
            let waiting = idle.of.entry(route).or_default();
            waiting.push(IdleConnection { connection, since });
        }
    }

    /// Closes, for ever, what waited too long or was closed by its sandbox.
    pub async fn sweep(&self) {
        loop {
            sleep(self.every).await;
            let now = self.sweeps.get() + 1;
            self.sweeps.set(now);
            let idle = &mut *self.idle.borrow_mut();
            idle.of.retain(|_, waiting| {
                waiting.retain(|it| {
                    now - it.since < self.patience && !it.connection.sender.is_closed()
                });
                !waiting.is_empty()
            });
            idle.count = idle.of.values().map(Vec::len).sum();
        }
    }

    /// Resolves when nothing goes on behind a response any more.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The same request; for those without a body.
fn copy(request: &Request<Upload>) -> Request<Upload> {
    let mut copy = Request::new(Upload::none());
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    request.headers().clone_into(copy.headers_mut());
    request.extensions().clone_into(copy.extensions_mut());
    copy
}
