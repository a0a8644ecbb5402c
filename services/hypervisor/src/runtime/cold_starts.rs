//! How long it took to start sandboxes that a request came to.

use crate::metrics::{Histogram, Totals};
use std::time::Duration;

/// The upper ends of the buckets, in milliseconds.
const BOUNDS: [u64; 11] = [
    100, 250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 40_000, 75_000,
];

/// The starts of all sandboxes that a request caused, and that succeeded.
pub(super) struct ColdStarts(Histogram<{ BOUNDS.len() }>);

impl Default for ColdStarts {
    fn default() -> Self {
        Self(Histogram::new(&BOUNDS))
    }
}

impl ColdStarts {
    pub(super) fn observe(&self, took: Duration) {
        self.0.observe(took);
    }

    pub(super) fn totals(&self) -> Totals {
        self.0.totals()
    }
}
