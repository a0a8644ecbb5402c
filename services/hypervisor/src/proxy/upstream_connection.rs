//! Connections to a sandbox, and two things that hyper does not know of them.
//!
//! A request may be tried again only if its connection proved dead: it had answered before, and
//! not one byte came since this request was written.
//!
//! A sandbox that refuses an upload answers, and closes while we still write. hyper would take
//! the failed write for the end, and never look at the response that lies there to be read. So a
//! connection that takes nothing any more pretends that it does, and its reads tell the rest.

use super::write_limit::WriteLimit;
use http::{Extensions, Uri};
use hyper_util::client::legacy::Error;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use std::error::Error as StdError;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::Service;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Makes [`Link`]s.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) tcp: HttpConnector,
    /// For how long a sandbox may take nothing of what it is sent.
    pub(super) write_limit: Duration,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<UpstreamConnection>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dial = self.tcp.call(uri);
        let limit = self.write_limit;
        Box::pin(async move {
            let stream = WriteLimit::new(dial.await?.into_inner(), limit);
            let state = Arc::default();
            Ok(TokioIo::new(UpstreamConnection { stream, state }))
        })
    }
}

/// What a connection went through.
#[derive(Default)]
struct ConnectionState {
    /// Something came, ever.
    answered: AtomicBool,
    /// Nothing came since the last write.
    silent: AtomicBool,
}

/// Whether a request failed because a connection from the pool was dead.
pub(super) fn was_dead(error: &Error) -> bool {
    let mut extras = Extensions::new();
    if let Some(info) = error.connect_info() {
        info.get_extras(&mut extras);
    }
    extras.get::<Arc<ConnectionState>>().is_some_and(|state| {
        state.answered.load(Ordering::Acquire) && state.silent.load(Ordering::Acquire)
    })
}

/// Takes the connection's notes off a response, which would carry them further.
pub(super) fn forget(extensions: &mut Extensions) {
    extensions.remove::<Arc<ConnectionState>>();
}

/// One connection to a sandbox.
pub(super) struct UpstreamConnection {
    stream: WriteLimit<TcpStream>,
    state: Arc<ConnectionState>,
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

impl Connection for UpstreamConnection {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.state.clone())
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
            self.state.answered.store(true, Ordering::Release);
            self.state.silent.store(false, Ordering::Release);
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
        self.state.silent.store(true, Ordering::Release);
        swallow(Pin::new(&mut self.stream).poll_write(cx, buf), buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.state.silent.store(true, Ordering::Release);
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
