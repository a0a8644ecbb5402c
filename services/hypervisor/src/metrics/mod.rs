//! What is counted while requests are served; `api::metrics` tells it.

mod histogram;
mod worker;

pub use histogram::{Histogram, Totals};
pub use worker::{CLASSES, ROLES, WorkerMetrics};

use crate::role::Role;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all workers have counted since this program started. Each counts for itself; only who
/// wants to know it adds that up.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Vec<Arc<WorkerMetrics>>>);

impl Metrics {
    /// The counters of one more worker.
    pub fn worker(&self) -> Arc<WorkerMetrics> {
        let metrics = Arc::<WorkerMetrics>::default();
        self.workers().push(metrics.clone());
        metrics
    }

    /// How many responses had a status of so many hundreds and one hundred.
    pub fn responses(&self, class: usize) -> u64 {
        self.workers().iter().map(|it| it.responses(class)).sum()
    }

    /// How long requests took whose responses had a status of this class.
    pub fn requests(&self, role: Option<Role>, class: usize) -> Totals {
        self.sum(|it| it.requests(role, class))
    }

    /// How long sandboxes took to respond.
    pub fn upstream(&self, role: Role) -> Totals {
        self.sum(|it| it.upstream(role))
    }

    fn sum(&self, of: impl Fn(&WorkerMetrics) -> Totals) -> Totals {
        let workers = self.workers();
        let sum = |sum: Totals, worker: &Arc<WorkerMetrics>| sum.with(&of(worker));
        workers.iter().fold(Totals::default(), sum)
    }

    fn workers(&self) -> MutexGuard<'_, Vec<Arc<WorkerMetrics>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use std::time::Duration;

    #[test]
    fn what_workers_count_adds_up() {
        let metrics = Metrics::default();
        for worker in [metrics.worker(), metrics.worker()] {
            worker.count_response(StatusCode::NOT_FOUND);
            worker.count_request(Some(Role::Dev), StatusCode::OK, Duration::from_millis(3));
            worker.count_upstream(Role::Dev, Duration::from_millis(2));
        }
        assert_eq!([2, 3].map(|class| metrics.responses(class)), [0, 2]);
        assert_eq!(metrics.requests(Some(Role::Dev), 1).count(), 2);
        assert_eq!(metrics.requests(Some(Role::Live), 1).count(), 0);
        assert_eq!(metrics.requests(None, 1).count(), 0);
        assert_eq!(metrics.upstream(Role::Dev).count(), 2);
    }

    #[test]
    fn a_status_that_http_does_not_know_counts_as_an_error_of_the_server() {
        let metrics = Metrics::default();
        let worker = metrics.worker();
        worker.count_response(StatusCode::from_u16(999).unwrap());
        assert_eq!(metrics.responses(4), 1);
    }
}
