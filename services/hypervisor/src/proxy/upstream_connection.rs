//! A connection to a sandbox, and two things that hyper does not know of it.
//!
//! A request may be tried again only if its connection proved dead: it had answered before, and
//! not one byte came since this request was written.
//!
//! A sandbox that refuses an upload responds, and closes while we still write. hyper would take
//! the failed write for the end, and never look at the response that lies there to be read. So a
//! connection that takes nothing any more pretends that it does, and its reads tell the rest.

use super::write_limit::WriteLimit;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// An open WebSocket has no time limit, so a far end that vanished must be noticed by the kernel.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// What a connection went through.
#[derive(Debug, Default)]
pub(super) struct ConnectionState {
    /// Something came, ever.
    answered: AtomicBool,
    /// Nothing came since the last write.
    silent: AtomicBool,
}

impl ConnectionState {
    /// Whether a request failed because its connection had been dead before.
    pub(super) fn was_dead(&self) -> bool {
        self.answered.load(Ordering::Relaxed) && self.silent.load(Ordering::Relaxed)
    }
}

/// One connection to a sandbox.
pub(super) struct UpstreamConnection {
    stream: WriteLimit<TcpStream>,
    state: Arc<ConnectionState>,
}

impl UpstreamConnection {
    /// `limit` is for how long a sandbox may take nothing of what it is sent.
    pub(super) fn new(stream: TcpStream, limit: Duration) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
        Ok(Self {
            stream: WriteLimit::new(stream, limit),
            state: Arc::default(),
        })
    }

    /// What it goes through.
    pub(super) fn state(&self) -> Arc<ConnectionState> {
        self.state.clone()
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
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.state.answered.store(true, Ordering::Relaxed);
            self.state.silent.store(false, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for UpstreamConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.state.silent.store(true, Ordering::Relaxed);
        swallow(Pin::new(&mut self.stream).poll_write(cx, buf), buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
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
