//! Reads and writes that do not wait for ever.

use super::super::buffer::Buffer;
use super::super::idle_timeout::IdleTimeout;
use crate::server::{ReadHalf, poll_peek};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};

/// Reads what comes next, `most` bytes of it; 0 is the end.
pub(super) async fn read(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut Buffer,
    most: usize,
    idle: &mut IdleTimeout,
) -> io::Result<usize> {
    poll_fn(|cx| poll_read(from, buffer, most, idle, cx)).await
}

pub(super) fn poll_read(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut Buffer,
    most: usize,
    idle: &mut IdleTimeout,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if let Poll::Ready(read) = buffer.poll_fill(from, cx, most) {
        idle.moved();
        return Poll::Ready(read);
    }
    ready!(idle.poll_expired(cx));
    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
}

/// Writes all of it, in as few calls as the kernel allows.
pub(super) async fn write(
    to: &mut (impl AsyncWrite + Unpin),
    parts: &[&[u8]],
    idle: &mut IdleTimeout,
) -> io::Result<()> {
    let mut slices = [IoSlice::new(&[]); 3];
    let mut slices = &mut slices[..parts.len()];
    for (slice, part) in slices.iter_mut().zip(parts) {
        *slice = IoSlice::new(part);
    }
    // Takes the empty ones off the front.
    IoSlice::advance_slices(&mut slices, 0);
    while let [first, others @ ..] = &*slices {
        let only = others.iter().all(|slice| slice.is_empty());
        let count = poll_fn(|cx| {
            let to = Pin::new(&mut *to);
            let written = if only {
                to.poll_write(cx, first)
            } else {
                to.poll_write_vectored(cx, slices)
            };
            if let Poll::Ready(written) = written {
                idle.moved();
                return Poll::Ready(written);
            }
            ready!(idle.poll_expired(cx));
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        });
        match count.await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => IoSlice::advance_slices(&mut slices, count),
        }
    }
    Ok(())
}

/// Ready when whoever owes us nothing is gone, such as a client that waits for its answer. One
/// that has sent something already is there, and is not looked at again: `watch` says whether to.
pub(super) fn poll_gone(
    from: &mut ReadHalf<'_>,
    watch: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if !*watch {
        return Poll::Pending;
    }
    match ready!(poll_peek(from, cx)) {
        Ok(0) | Err(_) => Poll::Ready(()),
        Ok(_) => {
            *watch = false;
            Poll::Pending
        }
    }
}
