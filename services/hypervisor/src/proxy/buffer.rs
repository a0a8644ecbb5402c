//! Buffers that a connection has only while there is something in them.
//!
//! Each thread keeps a few for reuse, the last one first, for that is still in the cache.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of one buffer: what a read takes at most, and a request's head on the fast path.
pub(crate) const SIZE: usize = 32 * 1024;

/// How many a thread keeps.
const KEPT: usize = 64;

thread_local! {
    static FREE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that were read and not yet used.
///
/// It has memory while a read is under way or something is in it, and no more than that needs
/// while it waits for the rest: thousands that send a byte a minute must not cost much.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    used: Range<usize>,
}

impl Buffer {
    /// What is in it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.used.clone()]
    }

    /// Takes the first `count` bytes out.
    pub(crate) fn consume(&mut self, count: usize) {
        self.used.start += count;
        if self.used.is_empty() {
            self.used = 0..0;
        }
    }

    /// Reads on behind what is in it, `most` bytes if there is room; 0 is the end.
    pub(crate) fn poll_fill(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        if self.bytes.len() < SIZE || self.used.end == SIZE {
            self.move_to(take());
        }
        let end = SIZE.min(self.used.end.saturating_add(most));
        let mut room = ReadBuf::new(&mut self.bytes[self.used.end..end]);
        match Pin::new(from).poll_read(cx, &mut room) {
            Poll::Ready(read) => {
                let count = room.filled().len();
                self.used.end += count;
                Poll::Ready(read.map(|()| count))
            }
            Poll::Pending => {
                if self.used.len() < SIZE / 2 {
                    self.move_to(vec![0; self.used.len()].into_boxed_slice());
                }
                Poll::Pending
            }
        }
    }

    /// As [`Buffer::poll_fill`].
    pub(crate) async fn fill(&mut self, from: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        poll_fn(|cx| self.poll_fill(from, cx, usize::MAX)).await
    }

    fn move_to(&mut self, mut bytes: Box<[u8]>) {
        bytes[..self.used.len()].copy_from_slice(self.bytes());
        give(std::mem::replace(&mut self.bytes, bytes));
        self.used = 0..self.used.len();
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.bytes));
    }
}

fn take() -> Box<[u8]> {
    let kept = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_else(|| vec![0; SIZE].into_boxed_slice())
}

fn give(bytes: Box<[u8]>) {
    if bytes.len() < SIZE {
        return;
    }
    // At a thread's end there is no list any more, and no need for one.
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < KEPT {
            free.push(bytes);
        }
    });
}
