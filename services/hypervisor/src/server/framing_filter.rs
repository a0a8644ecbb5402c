//! The stream under hyper: every byte passes [`Framing`] first.

use crate::config;

use super::linger::LINGER;
use crate::http1::Framing;
use bytes::Bytes;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tracing::debug;

/// Set once a connection's bytes are no longer HTTP/1 (after a 101).
pub(super) type Tunnel = Arc<AtomicBool>;

/// A stream that lets hyper see well-framed HTTP/1 alone.
///
/// What is malformed is cut off with [`POISON`] in its place: hyper then answers 400, after the
/// answers still owed to earlier requests, and closes.
#[derive(Debug)]
pub(super) struct FramingFilter<S> {
    stream: S,
    /// What was read from the stream before this.
    prefix: Bytes,
    framing: Framing,
    tunnel: Tunnel,
    foreign: bool,
    /// What is still to be read before the end, once the stream was cut off.
    poison: Option<&'static [u8]>,
    head_time: Duration,
    /// Runs while a head is incomplete; hyper's own timer runs between requests.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The client has closed its side.
    ended: bool,
    /// Runs while we have closed our side and the client has not.
    linger: Option<Pin<Box<Sleep>>>,
    /// One of the connections that there may be; it goes with the stream, upgraded or not.
    _permit: OwnedSemaphorePermit,
}

/// A NUL, which no part of a head or of a chunk's frame may hold, and the end of a head, before
/// which hyper does not look.
const POISON: &[u8] = b"\0\r\n\r\n";

/// Puts as much of `bytes` into `buf` as fits, and says what does not.
fn put(bytes: &'static [u8], buf: &mut ReadBuf<'_>) -> &'static [u8] {
    let (now, later) = bytes.split_at(bytes.len().min(buf.remaining()));
    buf.put_slice(now);
    later
}

impl<S> FramingFilter<S> {
    pub(super) fn new(
        stream: S,
        config: &config::Server,
        tunnel: Tunnel,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            stream,
            prefix: Bytes::new(),
            framing: Framing::new(config.max_header_bytes),
            tunnel,
            foreign: false,
            poison: None,
            head_time: Duration::from_secs(config.header_read_secs),
            deadline: None,
            ended: false,
            linger: None,
            _permit: permit,
        }
    }

    /// Waits for the first bytes, and says whether they are those of HTTP/2.
    pub(super) async fn is_http2(&mut self) -> io::Result<bool>
    where
        S: AsyncRead + Unpin,
    {
        const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let mut first = Vec::new();
        while first.len() < PREFACE.len() && PREFACE.starts_with(&first) {
            let mut scratch = [0; 4096];
            let read = poll_fn(|cx| {
                let mut buf = ReadBuf::new(&mut scratch);
                match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                    Poll::Pending => self.poll_deadline(cx).map_ok(|()| 0),
                    Poll::Ready(read) => Poll::Ready(read.map(|()| buf.filled().len())),
                }
            });
            let count = read.await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            first.extend_from_slice(&scratch[..count]);
        }
        let http2 = first.starts_with(PREFACE);
        self.foreign = http2;
        self.prefix = first.into();
        Ok(http2)
    }

    /// Lets through what is well framed of the bytes from `start` on.
    fn inspect(&mut self, buf: &mut ReadBuf<'_>, start: usize) {
        if self.foreign || self.tunnel.load(Ordering::Relaxed) {
            self.foreign = true;
            return;
        }
        if let Err((offset, malformed)) = self.framing.read(&buf.filled()[start..]) {
            debug!(reason = %malformed, "malformed request");
            buf.set_filled(start + offset);
            self.poison = Some(put(POISON, buf));
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.foreign || !self.framing.in_head() {
            self.deadline = None;
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

impl<S: AsyncRead + Unpin> AsyncRead for FramingFilter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(poison) = this.poison {
            this.poison = Some(put(poison, buf));
            return Poll::Ready(Ok(()));
        }
        let start = buf.filled().len();
        if !this.prefix.is_empty() {
            let count = this.prefix.len().min(buf.remaining());
            buf.put_slice(&this.prefix.split_to(count));
            this.inspect(buf, start);
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Pending => this.poll_deadline(cx),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                this.ended |= buf.filled().len() == start && buf.remaining() > 0;
                this.inspect(buf, start);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for FramingFilter<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let linger = this
            .linger
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        let mut scratch = [MaybeUninit::uninit(); 4096];
        while !this.ended && linger.as_mut().poll(cx).is_pending() {
            let mut buf = ReadBuf::uninit(&mut scratch);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf)) {
                Ok(()) => this.ended = buf.filled().is_empty(),
                Err(_) => break, // Reset by the client: there is nobody left to answer.
            }
        }
        Poll::Ready(Ok(()))
    }
}
