//! What is counted while requests are served; `api::metrics` tells it.

use http::StatusCode;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that grow while this program runs.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Responses by the hundreds of their status.
    responses: [AtomicU64; 6],
}

impl Metrics {
    /// Counts one response.
    pub fn count_response(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = self.responses.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many responses had a status of so many hundreds.
    pub fn responses(&self, class: usize) -> u64 {
        let counter = self.responses.get(class);
        counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}
