//! Requests that wait: how many, and for how long.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The upper ends of the histogram's buckets, in milliseconds.
const BUCKETS: [u64; 9] = [10, 50, 100, 250, 500, 1_000, 2_500, 10_000, 30_000];

/// How many requests wait, and how long those did that waited before.
#[derive(Default)]
pub struct HoldMetrics {
    waiting: AtomicUsize,
    /// One for each bucket, and one for what took longer.
    counts: [AtomicU64; BUCKETS.len() + 1],
    total_ms: AtomicU64,
}

impl HoldMetrics {
    /// How many requests wait now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// For each bucket its upper end in seconds, and how many requests waited for no longer; the
    /// last one has all.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<f64>, u64)> {
        let ends = BUCKETS
            .iter()
            .map(|&end| Some(Duration::from_millis(end).as_secs_f64()));
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        ends.chain([None]).zip(counts).scan(0, |sum, (end, count)| {
            *sum += count;
            Some((end, *sum))
        })
    }

    /// For how many seconds all together.
    pub fn total_secs(&self) -> f64 {
        Duration::from_millis(self.total_ms.load(Ordering::Relaxed)).as_secs_f64()
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
        let took = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.partition_point(|&end| end < took);
        metrics.counts[bucket].fetch_add(1, Ordering::Relaxed);
        metrics.total_ms.fetch_add(took, Ordering::Relaxed);
    }
}

/// A hold, as a request that waits sees it.
#[derive(Default)]
pub(super) struct Held {
    pub(super) over: CancellationToken,
    pub(super) requests: AtomicUsize,
}
