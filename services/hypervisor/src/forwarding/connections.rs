//! The connections of one worker to the gateways of other machines.

use super::protocol::HTTP2;
use super::tunnel;
use super::{ForwardError, Forwarding};
use crate::Body;
use crate::local_executor::LocalExecutor;
use http::{Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::debug;

/// For so long a machine that could not be reached is not tried again: whoever asks is told at once.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a machine is asked whether it is still there, and how long it may take to say so.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Bytes of a stream, each way, that may be on their way, and of all together.
const STREAM_BYTES: u32 = 256 * 1024;

/// The connections of one worker, none yet.
pub struct Connections {
    forwarding: Arc<Forwarding>,
    machines: RefCell<HashMap<Box<str>, Machine>>,
}

enum Machine {
    Open(SendRequest<Incoming>),
    /// It could not be reached then.
    Failed(Instant),
}

impl Connections {
    /// None yet.
    pub fn new(forwarding: Arc<Forwarding>) -> Self {
        Self {
            forwarding,
            machines: RefCell::default(),
        }
    }

    /// What this machine is called.
    pub fn machine(&self) -> &str {
        self.forwarding.machine()
    }

    /// Whether there is such a machine.
    pub fn knows(&self, machine: &str) -> bool {
        self.forwarding.knows(machine)
    }

    /// Sees whether a machine can be reached.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn reach(&self, machine: &str) -> io::Result<()> {
        self.open(machine).await.map(drop)
    }

    /// The response of another machine's gateway to a request whose head is rewritten for it.
    ///
    /// # Errors
    /// [`ForwardError`].
    pub async fn forward(
        &self,
        machine: &str,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, ForwardError> {
        let response = self.exchange(machine, request).await;
        self.forwarding.counters.count(machine, response.is_ok());
        response
    }

    async fn exchange(
        &self,
        machine: &str,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, ForwardError> {
        if request.headers().contains_key(header::UPGRADE) {
            return tunnel::open(&self.forwarding, machine, request).await;
        }
        *request.version_mut() = Version::HTTP_2;
        let mut unsent = request;
        // A connection may have been closed meanwhile, and then a new one is made.
        for _ in 0..2 {
            let mut sender = self.open(machine).await?;
            match sender.try_send_request(unsent).await {
                Ok(response) => return Ok(response.map(Body::new)),
                Err(mut failed) => {
                    // What one request came to says nothing of the others.
                    if sender.is_closed() {
                        self.machines.borrow_mut().remove(machine);
                    }
                    match failed.take_message() {
                        Some(request) => unsent = request,
                        None => return Err(failed.into_error().into()),
                    }
                }
            }
        }
        Err(io::Error::other("it closes each connection").into())
    }

    async fn open(&self, machine: &str) -> io::Result<SendRequest<Incoming>> {
        match self.machines.borrow().get(machine) {
            Some(Machine::Open(sender)) if !sender.is_closed() => return Ok(sender.clone()),
            Some(Machine::Failed(at)) if at.elapsed() < PAUSE => {
                return Err(io::Error::other("it could not be reached a moment ago"));
            }
            _ => {}
        }
        let connected = self.connect(machine).await;
        let found = match &connected {
            Ok(sender) => Machine::Open(sender.clone()),
            Err(error) => {
                debug!(machine, %error, "another machine cannot be reached");
                Machine::Failed(Instant::now())
            }
        };
        self.machines.borrow_mut().insert(machine.into(), found);
        connected
    }

    async fn connect(&self, machine: &str) -> io::Result<SendRequest<Incoming>> {
        let stream = self.forwarding.connect(machine, HTTP2).await?;
        let (sender, connection) = Builder::new(LocalExecutor)
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_BYTES)
            .initial_connection_window_size(16 * STREAM_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                debug!(%error, "the connection to another machine ended");
            }
        });
        Ok(sender)
    }
}
