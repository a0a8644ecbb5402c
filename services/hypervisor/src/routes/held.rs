//! Requests that wait: how many, and for how long.

use crate::metrics::{Histogram, Totals};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// The upper ends of the histogram's buckets, in milliseconds.
const BUCKETS: [u64; 9] = [10, 50, 100, 250, 500, 1_000, 2_500, 10_000, 30_000];

/// How many requests wait, and how long those did that waited before.
pub struct HoldMetrics {
    waiting: AtomicUsize,
    waits: Histogram<{ BUCKETS.len() }>,
}

impl Default for HoldMetrics {
    fn default() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            waits: Histogram::new(&BUCKETS),
        }
    }
}

impl HoldMetrics {
    /// How many requests wait now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How long those waited that no longer do.
    pub fn totals(&self) -> Totals {
        self.waits.totals()
    }

    /// One more waits, until what this gives is dropped.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting {
            metrics: self,
            begun: Instant::now(),
        }
    }
}

/// A request that waits.
pub(super) struct Waiting<'m> {
    metrics: &'m HoldMetrics,
    begun: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let metrics = self.metrics;
        metrics.waiting.fetch_sub(1, Ordering::Relaxed);
        metrics.waits.observe(self.begun.elapsed());
    }
}

/// A hold, as a request that waits sees it.
#[derive(Default)]
pub(super) struct Held {
    pub(super) over: CancellationToken,
    pub(super) requests: AtomicUsize,
}
