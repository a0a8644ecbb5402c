//! The stream under hyper: it lets hyper see what is well formed, one request at a time.
//!
//! Of HTTP/1, hyper gets whole heads and their bodies. In the place of a head that is none it
//! gets a request of our own, for which the service has the response; a body that breaks its
//! framing is a read that fails, so that it never looks complete. What comes after a request
//! waits until its response is sent: also that the client has closed its side, which hyper would
//! take for a client that is gone.

mod http2;
mod read;
mod write;

use super::exchange::Exchange;
use super::refused;
use crate::config;
use crate::http1::{Framing, Refusal, Stop};
use http2::Frames;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tracing::debug;

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a client that has closed its side may be sent nothing. Whoever has left altogether
/// looks the same until something is sent, and must not hold a place for longer.
const HALF_CLOSED: Duration = Duration::from_secs(10);

/// A filter below hyper, for one client's connection.
#[derive(Debug)]
pub(super) struct FramingFilter<S> {
    stream: S,
    exchange: Exchange,
    mode: Mode,
    /// What was read, and hyper has not got.
    held: Vec<u8>,
    /// How many bytes of that it may get.
    ready: usize,
    /// The client does not take what it is sent.
    blocked: bool,
    /// Interim responses that are being written.
    interim: Vec<u8>,
    head_time: Duration,
    /// Runs while a head is incomplete, or a client that closed its side waits.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The client has closed its side.
    ended: bool,
    /// Runs while we have closed our side and the client has not.
    linger: Option<Pin<Box<Sleep>>>,
    /// One of the connections that there may be; it goes with the stream, upgraded or not.
    _permit: OwnedSemaphorePermit,
}

/// What the bytes are.
#[derive(Debug)]
enum Mode {
    Http1(Framing),
    Http2(Frames),
    /// Those of an upgraded connection.
    Tunnel,
    /// Nothing that has a meaning any more.
    Refused,
}

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

impl<S> FramingFilter<S> {
    pub(super) fn new(stream: S, config: &config::Server, permit: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            exchange: Exchange::new(),
            mode: Mode::Http1(Framing::new(config.max_header_bytes)),
            held: Vec::new(),
            ready: 0,
            blocked: false,
            interim: Vec::new(),
            head_time: Duration::from_secs(config.header_read_secs),
            deadline: None,
            ended: false,
            linger: None,
            _permit: permit,
        }
    }

    pub(super) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Whether a part of a request has come.
    pub(super) fn has_begun(&self) -> bool {
        !self.held.is_empty()
    }

    /// Has `bytes` come next again: hyper did not use them.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.held.splice(..0, bytes.iter().copied());
    }

    /// How many of `bytes`, which came last, hyper may get; `None` when it gets a request of ours
    /// in their stead.
    fn follow(&mut self, bytes: &[u8], cx: &Context<'_>) -> io::Result<Option<usize>> {
        let Mode::Http1(framing) = &mut self.mode else {
            return Ok(Some(bytes.len()));
        };
        let begins = framing.is_between();
        match framing.follow(bytes) {
            Ok(0) => Ok(Some(0)),
            Ok(passed) => {
                if begins {
                    self.deadline = None;
                    self.exchange.begin(framing.is_http10(), cx);
                }
                Ok(Some(passed))
            }
            Err(Stop::Head(refusal)) => {
                self.refuse(refusal, bytes, cx);
                Ok(None)
            }
            Err(Stop::Body(malformed)) => {
                self.exchange.set_broken();
                Err(io::Error::new(io::ErrorKind::InvalidData, malformed))
            }
        }
    }

    /// The same for what is held.
    fn follow_held(&mut self, cx: &Context<'_>) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        match self.follow(&held, cx) {
            Ok(Some(passed)) => {
                self.held = held;
                self.ready = passed;
                Ok(())
            }
            Ok(None) => Ok(()), // It holds our own request now.
            Err(error) => Err(error),
        }
    }

    /// Gives hyper a request of ours in the place of `head`, for which the service has `refusal`.
    fn refuse(&mut self, refusal: Refusal, head: &[u8], cx: &Context<'_>) {
        debug!(reason = %refusal, "request refused");
        let ours: &[u8] = if head.starts_with(b"HEAD ") {
            b"HEAD / HTTP/1.1\r\nconnection: close\r\n\r\n"
        } else {
            b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n"
        };
        self.deadline = None;
        self.mode = Mode::Refused;
        self.held = ours.to_vec();
        self.ready = ours.len();
        self.exchange.begin(true, cx);
        self.exchange.refuse(refusal, refused::is_navigation(head));
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.has_begun() {
            return Poll::Pending;
        }
        let time = self.head_time;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the request's head took too long",
        )))
    }
}

impl<S: AsyncRead + Unpin> FramingFilter<S> {
    /// Waits for a whole head, or as much as says that it is none; until then there is nothing
    /// that hyper would be needed for.
    pub(super) async fn first(&mut self) -> io::Result<Protocol> {
        std::future::poll_fn(|cx| self.poll_first(cx)).await
    }

    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Protocol>> {
        loop {
            if let Some(protocol) = self.recognise(cx)? {
                return Poll::Ready(Ok(protocol));
            }
            let mut scratch = [MaybeUninit::uninit(); 4096];
            let mut buf = ReadBuf::uninit(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Pending => return self.poll_deadline(cx).map_ok(|()| Protocol::Http1),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if buf.filled().is_empty() => {
                    self.ended = true;
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                Poll::Ready(Ok(())) => self.held.extend_from_slice(buf.filled()),
            }
        }
    }

    fn recognise(&mut self, cx: &Context<'_>) -> io::Result<Option<Protocol>> {
        if self.ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self.held.is_empty() {
            return Ok(None);
        }
        if self.exchange.requests() == 0 {
            if self.held.starts_with(PREFACE) {
                self.mode = Mode::Http2(Frames::default());
                return Ok(Some(Protocol::Http2));
            }
            if PREFACE.starts_with(&self.held) {
                return Ok(None);
            }
        }
        self.follow_held(cx)?;
        Ok((self.ready > 0).then_some(Protocol::Http1))
    }
}
