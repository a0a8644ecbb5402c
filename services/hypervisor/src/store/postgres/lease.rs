//! How long what a gateway has in memory may be gone by.

use crate::store::Lease as View;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A gateway that has not confirmed for so long counts as gone: nobody waits for it any longer.
pub(super) const GONE: Duration = Duration::from_secs(2);

/// So much earlier it stops by itself, by a clock that may not run as fast as the server's.
const MARGIN: Duration = Duration::from_millis(500);

/// Lasts from one confirmation to the next, and somewhat longer.
#[derive(Debug)]
pub(super) struct Lease {
    since: Instant,
    /// Nanoseconds after `since`.
    until: AtomicU64,
    /// How long it lasts without a confirmation.
    lasts: Duration,
}

impl Lease {
    /// One that has just begun. Known sessions go on for `grace` without the store; for none at all,
    /// it ends before others stop waiting for this gateway.
    pub(super) fn new(grace: Duration) -> Self {
        let lease = Self {
            since: Instant::now(),
            until: AtomicU64::new(0),
            lasts: grace.max(GONE.saturating_sub(MARGIN)),
        };
        lease.renew(lease.since);
        lease
    }

    /// What is in memory was what the store had at that time.
    pub(super) fn renew(&self, at: Instant) {
        let until = at.saturating_duration_since(self.since) + self.lasts;
        self.until.fetch_max(nanos(until), Ordering::Relaxed);
    }

    pub(super) const fn lasts(&self) -> Duration {
        self.lasts
    }

    pub(super) fn view(&self) -> View {
        let until = Duration::from_nanos(self.until.load(Ordering::Relaxed));
        let now = self.since.elapsed();
        View {
            left: until.saturating_sub(now),
            unconfirmed: (now + self.lasts).saturating_sub(until),
        }
    }

    pub(super) fn holds(&self) -> bool {
        nanos(self.since.elapsed()) < self.until.load(Ordering::Relaxed)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_by_itself_before_others_count_the_gateway_as_gone() {
        let lease = Lease::new(Duration::ZERO);
        assert!(lease.holds());
        let confirmed = |ago| lease.since.checked_sub(ago).unwrap();
        let lasts = GONE.checked_sub(MARGIN).unwrap();
        for (ago, holds) in [(GONE, false), (lasts, false), (MARGIN, true)] {
            let lease = Lease {
                since: confirmed(ago),
                until: AtomicU64::new(0),
                lasts: lease.lasts,
            };
            lease.renew(lease.since);
            assert_eq!(lease.holds(), holds, "{ago:?}");
        }
    }

    #[test]
    fn a_confirmation_that_comes_late_does_not_shorten_it() {
        let lease = Lease::new(Duration::from_mins(10));
        lease.renew(lease.since.checked_sub(Duration::from_mins(20)).unwrap());
        assert!(lease.holds());
    }
}
