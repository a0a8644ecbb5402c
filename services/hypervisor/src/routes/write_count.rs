//! How many requests may have written to live: what a swap leaves behind, and an undo may lose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A workspace's count, which only grows.
pub(super) struct WriteCount {
    count: Arc<AtomicU64>,
    /// What it was when live and dev had the same data, or exchanged theirs.
    shared: AtomicU64,
    stored: AtomicU64,
}

impl WriteCount {
    pub(super) fn new(count: u64, shared: u64) -> Self {
        Self {
            count: Arc::new(AtomicU64::new(count)),
            shared: AtomicU64::new(shared),
            stored: AtomicU64::new(count),
        }
    }

    pub(super) fn counter(&self) -> Arc<AtomicU64> {
        self.count.clone()
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// How many there were since the last fork or swap.
    pub(super) fn since_shared(&self) -> u64 {
        self.count()
            .saturating_sub(self.shared.load(Ordering::Relaxed))
    }

    /// A fork or a swap, when there were so many.
    pub(super) fn set_shared(&self, count: u64) {
        self.shared.store(count, Ordering::Relaxed);
    }
    /// Notes that a count is stored; says whether it was not before.
    pub(super) fn set_stored(&self, count: u64) -> bool {
        self.stored.swap(count, Ordering::Relaxed) != count
    }
}
