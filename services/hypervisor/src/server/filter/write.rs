//! What hyper writes, and what goes before it; and the end of a connection.

use super::super::linger::LINGER;
use super::{FramingFilter, Mode};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for FramingFilter<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_interim(cx))?;
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_interim(cx))?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_interim(cx))?;
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        if this.exchange.flushed() && (this.ended || !this.held.is_empty()) {
            cx.waker().wake_by_ref(); // What waited behind the request.
        }
        Poll::Ready(Ok(()))
    }

    /// Closes our side, and reads what still comes until the client closes its own, for so long
    /// at most: a close under unread bytes would be a reset, which may overtake the response.
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
            this.ended = match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf)) {
                Ok(()) => buf.filled().is_empty(),
                Err(_) => true, // Reset by the client: there is nobody left to read.
            };
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> FramingFilter<S> {
    /// Writes the interim responses that wait. They came before whatever hyper writes next.
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.interim.is_empty() {
                self.exchange.downstream().take_interim(&mut self.interim);
            }
            if self.interim.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.interim))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.interim.drain(..written);
        }
    }
}

impl<S> FramingFilter<S> {
    /// Notes what a write came to.
    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.blocked = written.is_pending();
        if let Poll::Ready(Ok(count)) = &written {
            if let Mode::Http2(frames) = &mut self.mode {
                frames.wrote(*count);
            } else if self.ended {
                self.deadline = None; // It took something, so it is still there.
            }
        }
        written
    }
}
