//! A connection to a sandbox that carries one request at a time.

use super::Limits;
use super::reuse::Reuse;
use super::send_error::SendError;
use super::shared_stream::Look;
use super::upload::Upload;
use super::upstream_connection::{ConnectionState, UpstreamConnection};
use crate::clock;
use crate::http1::{Asked, MAX_LINES};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// What hyper reads at once at most, and needs beside a response's head.
const READ: usize = 64 * 1024;

pub(super) struct Connection {
    sender: SendRequest<Upload>,
    state: Arc<ConnectionState>,
    look: Look,
    /// Since when it waits for a request.
    since: Rc<Cell<Duration>>,
    reuse: Rc<Reuse>,
    task: AbortHandle,
}

/// A request that has no response.
pub(super) enum Unsent {
    /// Not a byte of it was sent.
    Whole(Box<Request<Upload>>),
    /// The connection was dead before these bytes, which may be sent again.
    Dead(Bytes),
    Failed(hyper::Error),
}

impl Connection {
    /// A new one, whose end is told to `reuse`. With what is to be sent `instead` of its first
    /// request.
    pub(super) async fn open(
        address: SocketAddr,
        limits: &Limits,
        reuse: Rc<Reuse>,
        instead: Bytes,
    ) -> Result<Self, SendError> {
        let Ok(connected) = timeout(limits.connect, TcpStream::connect(address)).await else {
            let why = format!("no connection within {} seconds", limits.connect.as_secs());
            let error = io::Error::new(io::ErrorKind::TimedOut, why);
            return Err(SendError::Connect(error));
        };
        let stream = connected.map_err(SendError::Connect)?;
        let stream = UpstreamConnection::new(stream, limits.body_idle, limits.max_head, instead)
            .map_err(SendError::Connect)?;
        let (state, look) = stream.parts();
        let (sender, connection) = Builder::new()
            .max_buf_size(READ.max(limits.max_head + READ / 2))
            .max_headers(MAX_LINES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(SendError::Exchange)?;
        let since = Rc::<Cell<Duration>>::default();
        let (ended, waits) = (state.clone(), since.clone());
        let told = reuse.clone();
        // Ends with its sender, or with the upgraded connection.
        let task = tokio::task::spawn_local(async move {
            let _ = connection.with_upgrades().await; // Whoever sent the request hears of it.
            if ended.was_closed_idle() {
                told.closed(waits.get());
            }
        });
        Ok(Self {
            sender,
            state,
            look,
            since,
            reuse,
            task: task.abort_handle(),
        })
    }

    /// Whether the next request may go this way. What may be repeated is sent again if the sandbox
    /// has closed it meanwhile, so only for the rest is it worth a call to the kernel.
    pub(super) fn is_good(&self, repeatable: bool) -> bool {
        self.sender.is_ready() && !self.state.is_spoilt() && (repeatable || self.look.is_quiet())
    }

    /// Whether no request will ever go this way again.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed() || self.state.is_spoilt()
    }

    /// Whether it may carry a request that must not be sent twice, as far as can be told.
    pub(super) fn is_fresh(&self) -> bool {
        self.reuse.allows(self.since.get())
    }

    /// It waits from now on, and has done so since this moment.
    pub(super) fn wait(&self) -> Duration {
        let now = clock::monotonic();
        self.since.set(now);
        now
    }

    /// Since when it waits.
    pub(super) fn since(&self) -> Duration {
        self.since.get()
    }

    /// What closes it, whatever it is about.
    pub(super) fn abort_handle(&self) -> AbortHandle {
        self.task.clone()
    }

    /// Whether both bodies are through, and another request may be sent.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Waits for that; says whether it came.
    pub(super) async fn ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// The head of the response to a request, which may be `repeatable`.
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
        asked: Asked,
        repeatable: bool,
    ) -> Result<Response<Incoming>, Unsent> {
        self.state.ask(asked, repeatable);
        match self.sender.try_send_request(request).await {
            Ok(response) => {
                self.reuse.heed(response.headers());
                Ok(response)
            }
            Err(mut error) => Err(match error.take_message() {
                Some(request) => Unsent::Whole(Box::new(request)),
                None if repeatable && self.state.was_dead() => {
                    Unsent::Dead(std::mem::take(&mut *self.state.written()).into())
                }
                None => Unsent::Failed(error.into_error()),
            }),
        }
    }
}
