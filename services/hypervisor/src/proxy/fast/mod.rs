//! The fast path: one plain HTTP/1.1 request, from socket to socket.
//!
//! Nothing is parsed into maps, put into channels or spawned: a connection's own task rewrites
//! the head as bytes, and carries bodies in one buffer. What is plain is for [`crate::server`]'s
//! `head` to say; the rest of the proxy does all else, by the same rules.

mod answer;
mod download;
mod pool;
mod request;
mod text;
mod upload;
mod wire;

use super::buffer::Buffer;
pub(crate) use pool::Pool;
pub(crate) use request::{FarEnd, Order};

use super::idle_timeout::IdleTimeout;
use super::{Proxy, Reason, RoutedClaim};
use crate::server::{ReadHalf, Stream, split, try_read};
use download::{Done, Download, Progress};
use http::StatusCode;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::either::Either;

/// A client's connection, between its requests.
pub(crate) struct Client {
    pub(crate) stream: Stream,
    /// What came in and was not used yet.
    pub(crate) inbox: Buffer,
    /// While it takes nothing of its answer.
    taken: IdleTimeout,
    /// While its sandbox does not answer.
    answered: IdleTimeout,
}

/// What may come after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Request,
    /// The connection's end.
    Close,
    /// Its end, after what the client still sends.
    Linger,
}

/// Why a request was not answered.
pub(crate) enum Unanswered {
    /// The client can be told why.
    Failed(Reason),
    /// The client is gone, or has half an answer, and its connection must be cut.
    Cut,
}

impl Client {
    pub(crate) fn new(stream: Stream, write_idle: Duration, proxy: &Proxy) -> Self {
        Self {
            stream,
            inbox: Buffer::default(),
            taken: IdleTimeout::new(write_idle),
            answered: IdleTimeout::new(proxy.limits.response),
        }
    }

    /// Writes an answer of ours.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        wire::write(&mut self.stream, &[bytes], &mut self.taken).await
    }

    /// Whether it has sent nothing more.
    fn is_quiet(&self) -> bool {
        let read = try_read(&self.stream, &mut [0]);
        self.inbox.bytes().is_empty() && !matches!(read, Ok(1..))
    }

    /// Resolves when the client is gone; never, if it has sent something already.
    pub(crate) async fn gone(&mut self) {
        let (mut client, _) = split(&mut self.stream);
        let mut watch = true;
        poll_fn(|cx| wire::poll_gone(&mut client, &mut watch, cx)).await;
    }
}

impl Proxy {
    /// A worker's connections to the sandboxes.
    pub(crate) fn pool(&self) -> Pool {
        Pool::new(self.limits.pool_idle, self.limits.pool_most)
    }

    /// Has the claimed sandbox answer `order`, whose body begins in the client's inbox.
    pub(crate) async fn carry<C: RoutedClaim>(
        &self,
        client: &mut Client,
        order: &Order,
        claim: &C,
        pool: &Pool,
        close: bool,
    ) -> Result<(StatusCode, Next), Unanswered> {
        let upstream = claim.upstream().id();
        let mut parked = pool.take(upstream);
        loop {
            let reused = parked.is_some();
            let mut sandbox = match parked.take() {
                Some(sandbox) => sandbox,
                None => self.dial(claim.address()).await?,
            };
            let outcome = self.attempt(client, &mut sandbox, order, claim, close);
            match outcome.await {
                Ok((Done { status, reusable }, whole)) => {
                    let next = match (whole, close) {
                        (true, false) => Next::Request,
                        // Nothing follows a request that asks for the end, as a rule.
                        (true, true) if order.close() && client.is_quiet() => Next::Close,
                        _ => Next::Linger,
                    };
                    if reusable && whole {
                        pool.put(upstream, sandbox);
                    }
                    return Ok((status, next));
                }
                // It proved dead before it said anything: a new one will not be that.
                Err(End::Down(download::Fault::Dead(_))) if reused && order.repeatable => {}
                Err(end) => return Err(self.explain_end(end, claim)),
            }
        }
    }

    async fn dial(&self, address: SocketAddr) -> Result<TcpStream, Unanswered> {
        let limit = self.limits.connect;
        let why = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => match stream.set_nodelay(true) {
                Ok(()) => return Ok(stream),
                Err(error) => error.to_string(),
            },
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no connection within {} seconds", limit.as_secs()),
        };
        Err(Unanswered::Failed(Reason::BadGateway(why)))
    }

    /// One exchange; says also whether the whole request was sent.
    async fn attempt<C: RoutedClaim>(
        &self,
        client: &mut Client,
        sandbox: &mut TcpStream,
        order: &Order,
        claim: &C,
        close: bool,
    ) -> Result<(Done, bool), End> {
        let (mut from_client, to_client) = split(&mut client.stream);
        let (from_sandbox, mut to_sandbox) = sandbox.split();
        let progress = Progress::default();
        let mut download = Download {
            sandbox: Either::Left(from_sandbox),
            client: to_client,
            taken: &mut client.taken,
            answered: &mut client.answered,
            progress: &progress,
            limits: self.limits,
            claim,
        };
        let patience = self.limits.body_idle;
        let mut up = pin!(async {
            progress.sending.store(true, Ordering::Relaxed);
            let inbox = &mut client.inbox;
            let (head, body) = (&order.head, order.body);
            let sent = upload::send(
                head,
                body,
                inbox,
                &mut from_client,
                &mut to_sandbox,
                patience,
            );
            match sent.await {
                Ok(()) => progress.whole.store(true, Ordering::Relaxed),
                Err(upload::Fault::Refused) => {}
                Err(fault) => return fault,
            }
            progress.sending.store(false, Ordering::Relaxed);
            let mut watch = true;
            poll_fn(|cx| wire::poll_gone(&mut from_client, &mut watch, cx)).await;
            upload::Fault::Gone
        });
        let done = {
            let mut down = pin!(download.run(order, &self.own_cookies, close));
            let mut going = false;
            poll_fn(|cx| {
                // The head is sent before an answer is looked for; later on, the answer comes first.
                if !going || progress.sending.load(Ordering::Relaxed) {
                    going = true;
                    if let Poll::Ready(fault) = up.as_mut().poll(cx) {
                        return Poll::Ready(Err(End::Up(fault)));
                    }
                    return down.as_mut().poll(cx).map_err(End::Down);
                }
                if let Poll::Ready(done) = down.as_mut().poll(cx) {
                    return Poll::Ready(done.map_err(End::Down));
                }
                up.as_mut().poll(cx).map(|fault| Err(End::Up(fault)))
            })
            .await
        };
        match done {
            Err(End::Up(_)) if progress.begun.load(Ordering::Relaxed) => {
                Err(End::Up(upload::Fault::Gone))
            }
            Err(end) => Err(end),
            Ok(done) => {
                if done.reusable {
                    // What was answered early is taken to its end all the same.
                    send_on(up, &mut download.sandbox, &progress).await;
                }
                Ok((done, progress.whole.load(Ordering::Relaxed)))
            }
        }
    }

    fn explain_end(&self, end: End, claim: &impl RoutedClaim) -> Unanswered {
        use download::Fault as Down;
        use upload::Fault as Up;
        Unanswered::Failed(match end {
            End::Up(Up::Gone | Up::Refused) | End::Down(Down::Gone) => return Unanswered::Cut,
            End::Up(Up::Stalled) => Reason::BodyStalled(self.limits.body_idle.as_secs()),
            End::Up(Up::Untaken) => {
                Reason::Timeout("nothing that was sent was taken for too long".into())
            }
            End::Down(Down::Dead(why) | Down::Bad(why)) => Reason::BadGateway(why),
            End::Down(Down::Silent) => {
                let secs = self.limits.response.as_secs();
                Reason::Timeout(format!("nothing came within {secs} seconds"))
            }
            End::Down(Down::Broken(fault)) => {
                let sandbox = claim.sandbox();
                tracing::warn!(sandbox, role = %claim.role(), fault, "answer broken off");
                return Unanswered::Cut;
            }
        })
    }
}

/// Waits until all is sent, or no more can be.
async fn send_on(
    mut up: Pin<&mut impl Future<Output = upload::Fault>>,
    sandbox: &mut ReadHalf<'_>,
    progress: &Progress,
) {
    let sending = || progress.sending.load(Ordering::Relaxed);
    let mut watch = true;
    poll_fn(|cx| {
        if sending()
            && up.as_mut().poll(cx).is_pending()
            && sending()
            && wire::poll_gone(sandbox, &mut watch, cx).is_pending()
        {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// Which side an exchange failed on.
enum End {
    Up(upload::Fault),
    Down(download::Fault),
}
