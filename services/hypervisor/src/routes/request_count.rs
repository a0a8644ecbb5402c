//! How many requests a workspace's role had, and when the last one came.

use crate::clock;
use crate::timestamp::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A count since the start of this program. It has cache lines of its own: what lies beside it in
/// a workspace is read by all workers, and hardly ever written.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct RequestCount {
    count: AtomicU64,
    /// The second of the monotonic clock after that of the last request; 0 before the first.
    last: AtomicU64,
}

impl RequestCount {
    /// One more, now. When is written once a second at most.
    pub(super) fn add(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let second = clock::monotonic().as_secs() + 1;
        if self.last.load(Ordering::Relaxed) < second {
            self.last.store(second, Ordering::Relaxed);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// When the last one came, to about a second.
    pub(super) fn last_at(&self) -> Option<Timestamp> {
        let second = self.last.load(Ordering::Relaxed).checked_sub(1)?;
        let ago = clock::monotonic().saturating_sub(Duration::from_secs(second));
        Some(Timestamp::now().before(ago))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_request_is_remembered_to_about_a_second() {
        let requests = RequestCount::default();
        assert_eq!((requests.count(), requests.last_at()), (0, None));
        let before = Timestamp::now().before(Duration::from_secs(2));
        requests.add();
        requests.add();
        let last = requests.last_at().unwrap();
        assert!(before <= last && last <= Timestamp::now());
        assert_eq!(requests.count(), 2);
    }
}
