//! A connection to a sandbox, and what hyper does not know of it.
//!
//! Its bytes pass [`ResponseFraming`] before hyper reads them: what breaks HTTP/1.1 is an error,
//! and what comes behind a response is never read.
//!
//! A request may be tried again only if its connection proved dead: it had answered before, and
//! not one byte came since this request was written.
//!
//! A sandbox that refuses an upload responds, and closes while we still write. hyper would take
//! the failed write for the end, and never look at the response that lies there to be read. So a
//! connection that takes nothing any more pretends that it does, and its reads tell the rest.

use super::shared_stream::{Look, SharedStream};
use super::write_limit::WriteLimit;
use crate::http1::{Asked, ResponseFraming};
use bytes::{Buf, Bytes};
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A virtual machine that dies takes its connections along without a word, and an open WebSocket
/// has no time limit: the kernel asks whether there still is a far end. The next machine at its
/// address, which may be there after some seconds, says that it knows of none.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(10))
    .with_interval(Duration::from_secs(5));

/// What a connection went through.
#[derive(Debug, Default)]
pub(super) struct ConnectionState {
    /// What the request asks of its response, from when it is sent until something comes.
    asked: AtomicU8,
    /// The request as it was written, if it may be written again.
    written: Mutex<Vec<u8>>,
    records: AtomicBool,
    /// Something came, ever.
    answered: AtomicBool,
    /// Nothing came since the last write.
    silent: AtomicBool,
    /// The sandbox closed it while nothing was asked.
    closed_idle: AtomicBool,
    /// Something came that nobody asked for.
    spoilt: AtomicBool,
}

const SENT: u8 = 1;
const HEAD: u8 = 2;
const UPGRADE: u8 = 4;

impl ConnectionState {
    /// A request is about to be written, and to be kept if it may be `repeatable`.
    pub(super) fn ask(&self, asked: Asked, repeatable: bool) {
        self.records.store(repeatable, Ordering::Relaxed);
        if repeatable {
            self.written().clear();
        }
        let head = if asked.head { HEAD } else { 0 };
        let upgrade = if asked.upgrade { UPGRADE } else { 0 };
        self.asked.store(SENT | head | upgrade, Ordering::Relaxed);
    }

    fn asked(&self) -> Option<Asked> {
        let asked = self.asked.load(Ordering::Relaxed);
        (asked != 0).then_some(Asked {
            head: asked & HEAD != 0,
            upgrade: asked & UPGRADE != 0,
        })
    }

    /// The request, byte for byte, if it was kept.
    pub(super) fn written(&self) -> MutexGuard<'_, Vec<u8>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, given: &[u8], written: &Poll<io::Result<usize>>) {
        self.silent.store(true, Ordering::Relaxed);
        if let Poll::Ready(Ok(count)) = written
            && self.records.load(Ordering::Relaxed)
        {
            self.written().extend_from_slice(&given[..*count]);
        }
    }

    /// Whether a request failed because its connection had been dead before.
    pub(super) fn was_dead(&self) -> bool {
        self.answered.load(Ordering::Relaxed) && self.silent.load(Ordering::Relaxed)
    }

    /// Whether the sandbox closed it while nothing was asked.
    pub(super) fn was_closed_idle(&self) -> bool {
        self.closed_idle.load(Ordering::Relaxed)
    }

    /// Whether something came that nobody asked for, so that no more requests may go this way.
    pub(super) fn is_spoilt(&self) -> bool {
        self.spoilt.load(Ordering::Relaxed)
    }
}

/// One connection to a sandbox.
pub(super) struct UpstreamConnection {
    stream: WriteLimit<SharedStream>,
    look: Look,
    framing: ResponseFraming,
    state: Arc<ConnectionState>,
    /// What is written in the place of the first request.
    instead: Bytes,
}

impl UpstreamConnection {
    /// `limit` is for how long a sandbox may take nothing of what it is sent, `head` for the bytes
    /// of a response's head. What is to be sent `instead` of the first request is one that was
    /// sent before.
    pub(super) fn new(
        stream: TcpStream,
        limit: Duration,
        head: usize,
        instead: Bytes,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_keepalive(&KEEPALIVE)?;
        let stream = SharedStream::new(stream);
        Ok(Self {
            look: stream.look(),
            stream: WriteLimit::new(stream, limit),
            framing: ResponseFraming::new(head),
            state: Arc::default(),
            instead,
        })
    }

    /// What it goes through, and its socket.
    pub(super) fn parts(&self) -> (Arc<ConnectionState>, Look) {
        (self.state.clone(), self.look.clone())
    }

    /// Lets hyper see what belongs to a response, and is framed well, of the bytes from `start` on.
    fn inspect(&mut self, buf: &mut ReadBuf<'_>, start: usize) -> io::Result<()> {
        let state = &*self.state;
        if self.framing.is_idle()
            && let Some(asked) = state.asked()
        {
            state.asked.store(0, Ordering::Relaxed);
            self.framing.ask(asked);
        }
        if buf.filled().len() == start {
            if self.framing.is_idle() {
                state.closed_idle.store(true, Ordering::Relaxed);
            }
            return Ok(());
        }
        state.answered.store(true, Ordering::Relaxed);
        state.silent.store(false, Ordering::Relaxed);
        let bytes = &buf.filled()[start..];
        let read = self.framing.read(bytes).map_err(|malformed| {
            let sentence = format!("its response breaks HTTP/1.1: {malformed}");
            io::Error::new(io::ErrorKind::InvalidData, sentence)
        })?;
        if read < bytes.len() {
            state.spoilt.store(true, Ordering::Relaxed);
            buf.set_filled(start + read);
        }
        for extension in self.framing.extensions() {
            buf.filled_mut()[start..][extension.clone()].fill(b' ');
        }
        Ok(())
    }
}

/// What a write came to: a closed connection swallows all that it is given.
fn swallow(written: Poll<io::Result<usize>>, given: usize) -> Poll<io::Result<usize>> {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    match written {
        Poll::Ready(Err(error)) if matches!(error.kind(), BrokenPipe | ConnectionReset) => {
            Poll::Ready(Ok(given))
        }
        written => written,
    }
}

impl AsyncRead for UpstreamConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.state.is_spoilt() {
            // As if closed.
            return Poll::Ready(Ok(()));
        }
        let start = buf.filled().len();
        let read = ready!(Pin::new(&mut this.stream).poll_read(cx, buf));
        let inspected = this.inspect(buf, start);
        Poll::Ready(read.and(inspected))
    }
}

impl AsyncWrite for UpstreamConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.instead.is_empty() {
            let written = Pin::new(&mut this.stream).poll_write(cx, buf);
            let written = swallow(written, buf.len());
            this.state.record(buf, &written);
            return written;
        }
        while !this.instead.is_empty() {
            let written = Pin::new(&mut this.stream).poll_write(cx, &this.instead);
            let count = ready!(swallow(written, this.instead.len()))?;
            this.instead.advance(count);
        }
        // hyper writes a head that has no body at once.
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [buf] = bufs {
            return self.poll_write(cx, buf);
        }
        self.state.silent.store(true, Ordering::Relaxed);
        let given = bufs.iter().map(|buf| buf.len()).sum();
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        swallow(written, given)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
