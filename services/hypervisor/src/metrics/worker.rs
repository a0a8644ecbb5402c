//! What one worker counts. Nobody else writes to it, so that no request waits for another's.

use super::histogram::{Histogram, Totals};
use crate::role::Role;
use http::StatusCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The ends of the buckets, in milliseconds.
const BOUNDS: [u64; 14] = [
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];

/// The classes of statuses, by their hundreds: 1xx to 5xx.
pub const CLASSES: usize = 5;

/// Whose a request was: a sandbox's that had a role, or the gateway's own.
pub const ROLES: [Option<Role>; 3] = [Some(Role::Live), Some(Role::Dev), None];

/// The counters of a worker, which share no cache line with anybody's.
#[derive(Debug)]
#[repr(align(128))]
pub struct WorkerMetrics {
    responses: [AtomicU64; CLASSES],
    requests: [[Histogram<14>; CLASSES]; ROLES.len()],
    upstream: [Histogram<14>; 2],
}

impl Default for WorkerMetrics {
    fn default() -> Self {
        let histogram = |_| Histogram::new(&BOUNDS);
        Self {
            responses: Default::default(),
            requests: [0; ROLES.len()].map(|_| [0; CLASSES].map(histogram)),
            upstream: [0; 2].map(histogram),
        }
    }
}

impl WorkerMetrics {
    /// Counts a response.
    pub fn count_response(&self, status: StatusCode) {
        self.responses[class(status)].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request, from its head to the last byte of its response.
    pub fn count_request(&self, role: Option<Role>, status: StatusCode, took: Duration) {
        self.requests[index(role)][class(status)].observe(took);
    }

    /// Counts how long a sandbox took to respond.
    pub fn count_upstream(&self, role: Role, took: Duration) {
        self.upstream[index(Some(role))].observe(took);
    }

    /// How many responses had a status of this class, the first of which is 0.
    pub(super) fn responses(&self, class: usize) -> u64 {
        self.responses[class].load(Ordering::Relaxed)
    }

    pub(super) fn requests(&self, role: Option<Role>, class: usize) -> Totals {
        self.requests[index(role)][class].totals()
    }

    pub(super) fn upstream(&self, role: Role) -> Totals {
        self.upstream[index(Some(role))].totals()
    }
}

/// The class of a status; those that HTTP does not know count as the last one, as it says.
fn class(status: StatusCode) -> usize {
    usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1
}

fn index(role: Option<Role>) -> usize {
    match role {
        Some(Role::Live) => 0,
        Some(Role::Dev) => 1,
        None => 2,
    }
}
