//! A gate counts who is inside and can be closed for good.
//!
//! Everything that may go away while requests use it (a route at a swap, a running sandbox at
//! a stop) stands behind one of these. One atomic word holds both the closed bit and the
//! count, so «closed» and «entered» cannot be seen in two orders: whoever enters is counted by
//! the one who closes, and whoever comes after the close is turned away.
//!
//! `tests/gate_model.rs` includes this very file with loom's atomics in place of `sync`.

use super::sync::{AtomicUsize, AtomicWaker, Ordering};
use std::future::poll_fn;
use std::task::Poll;

const CLOSED: usize = 1 << (usize::BITS - 1);

/// Counts holds on something that can be closed for good.
#[derive(Debug)]
pub struct Gate {
    word: AtomicUsize,
    /// The one closer that waits in [`Gate::empty`].
    closer: AtomicWaker,
}

impl Gate {
    /// An open gate with nobody inside.
    pub fn new() -> Self {
        Self {
            word: AtomicUsize::new(0),
            closer: AtomicWaker::new(),
        }
    }

    /// Goes in, unless the gate is closed. Each `true` is owed one [`Gate::leave`].
    pub fn enter(&self) -> bool {
        // A failed entry must not disturb the count that the closer reads, hence no fetch_add.
        self.word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                (word & CLOSED == 0).then_some(word + 1)
            })
            .is_ok()
    }

    /// Goes out again; the last one out of a closed gate wakes the closer.
    pub fn leave(&self) {
        if self.word.fetch_sub(1, Ordering::AcqRel) == CLOSED | 1 {
            self.closer.wake();
        }
    }

    /// Turns away everyone from now on.
    pub fn close(&self) {
        self.word.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Closes the gate only if nobody is inside; says whether it did.
    pub fn close_if_empty(&self) -> bool {
        self.word
            .compare_exchange(0, CLOSED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.word.load(Ordering::Acquire) & !CLOSED
    }

    /// Whether the gate was closed.
    pub fn is_closed(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Resolves once the gate is closed and nobody is inside. For one waiter.
    pub async fn empty(&self) {
        poll_fn(|cx| {
            self.closer.register(cx.waker());
            if self.word.load(Ordering::Acquire) == CLOSED {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
