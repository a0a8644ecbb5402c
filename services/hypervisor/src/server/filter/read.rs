//! What hyper reads.

use super::{FramingFilter, HALF_CLOSED, Mode};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

impl<S: AsyncRead + Unpin> AsyncRead for FramingFilter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.exchange.is_switched()
            && !this.exchange.is_in_flight()
            && matches!(this.mode, Mode::Http1(_))
        {
            this.mode = Mode::Tunnel;
            this.ready = this.held.len();
        }
        if this.ready > 0 || buf.remaining() == 0 {
            this.give(buf);
            return Poll::Ready(Ok(()));
        }
        match &this.mode {
            Mode::Http1(framing) if framing.is_between() && this.exchange.is_in_flight() => {
                this.poll_behind(cx, buf)
            }
            Mode::Http1(_) => this.poll_request(cx, buf),
            Mode::Http2(_) => this.poll_frames(cx, buf),
            Mode::Tunnel => this.poll_raw(cx, buf).map_ok(|_| ()),
            // The response closes the connection, and what still comes is for `poll_shutdown`.
            Mode::Refused => Poll::Pending,
        }
    }
}

impl<S> FramingFilter<S> {
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.ready.min(buf.remaining());
        buf.put_slice(&self.held[..count]);
        self.ready -= count;
        self.held.drain(..count);
        if self.held.is_empty() {
            self.held = Vec::new(); // Most connections never need it again.
        }
    }
}

impl<S: AsyncRead + Unpin> FramingFilter<S> {
    /// Reads from the stream, and says how many bytes.
    fn poll_raw(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let start = buf.filled().len();
        if !self.ended {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        }
        let count = buf.filled().len() - start;
        if count == 0 && !self.ended {
            self.ended = true;
            self.exchange.downstream().half_close();
        }
        Poll::Ready(Ok(count))
    }

    /// Reads of a request.
    fn poll_request(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if matches!(&self.mode, Mode::Http1(framing) if framing.is_between()) {
            self.exchange.set_read();
        }
        let start = buf.filled().len();
        loop {
            if !self.held.is_empty() {
                self.follow_held(cx)?;
                if self.ready > 0 {
                    self.give(buf);
                    return Poll::Ready(Ok(()));
                }
            }
            let count = match self.poll_raw(cx, buf) {
                Poll::Pending => return self.poll_deadline(cx),
                Poll::Ready(count) => count?,
            };
            if count == 0 {
                return Poll::Ready(Ok(()));
            }
            if self.held.is_empty() {
                // As it is, most often: all of a request at once, or a part of its body.
                let bytes = &buf.filled()[start..];
                let passed = match self.follow(bytes, cx) {
                    Ok(Some(passed)) => {
                        self.held.extend_from_slice(&bytes[passed..]);
                        Ok(passed)
                    }
                    Ok(None) => Ok(0),
                    Err(error) => Err(error),
                };
                buf.set_filled(start + passed.as_ref().unwrap_or(&0));
                if passed? > 0 {
                    return Poll::Ready(Ok(()));
                }
            } else {
                self.held.extend_from_slice(&buf.filled()[start..]);
                buf.set_filled(start);
            }
            if self.ready > 0 {
                self.give(buf);
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Reads what comes behind a request that is in flight: to know of a reset, and of no use
    /// before. `poll_flush` wakes hyper's task when there is something for it.
    ///
    /// A client that closed its side is told from one that is gone by what is sent, which fails
    /// for the latter; if nothing is sent for long, it counts as gone.
    fn poll_behind(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.exchange.set_read();
        if self.held.is_empty() && !self.ended {
            let start = buf.filled().len();
            ready!(self.poll_raw(cx, buf))?;
            self.held.extend_from_slice(&buf.filled()[start..]);
            buf.set_filled(start);
        }
        if self.ended && self.held.is_empty() && !self.blocked {
            let deadline = self
                .deadline
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(HALF_CLOSED)));
            return deadline.as_mut().poll(cx).map(Ok);
        }
        Poll::Pending
    }

    fn poll_frames(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        if self.held.is_empty() {
            ready!(self.poll_raw(cx, buf))?;
        } else {
            // What came with the preface. All of it is followed, also what is for the next call.
            let count = self.held.len().min(buf.remaining());
            buf.put_slice(&self.held[..count]);
            self.held.drain(..count);
        }
        if let Mode::Http2(frames) = &mut self.mode
            && let Some(passed) = frames.follow(&buf.filled()[start..])
        {
            buf.set_filled(start + passed);
            self.held = super::http2::FATAL.to_vec();
            self.ready = self.held.len();
            self.mode = Mode::Refused;
            if passed == 0 {
                self.give(buf);
            }
        }
        Poll::Ready(Ok(()))
    }
}
