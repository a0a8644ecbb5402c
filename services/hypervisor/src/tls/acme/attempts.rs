//! When something that failed is tried again.

use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How the last attempts at something went, which all failed.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Attempts {
    failures: u32,
    /// When the last one failed, in milliseconds as of [`Timestamp`].
    failed_at: i64,
    /// When the next one may be, likewise.
    retry_at: i64,
    /// Why the last one failed.
    error: String,
}

/// How long the next attempt waits after the first failure, and after many of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    first: Duration,
    longest: Duration,
}

/// An authority that is away, as it is while this host's network begins.
pub(super) const AUTHORITY: Pace = Pace {
    first: Duration::from_secs(4),
    longest: Duration::from_hours(1),
};

/// A name that is refused. Let's Encrypt takes five such an hour.
pub(super) const NAME: Pace = Pace {
    first: Duration::from_mins(5),
    longest: Duration::from_hours(12),
};

/// What an authority may ask for at most, so that nonsense does not stand for ever.
const LONGEST_ASKED: Duration = Duration::from_hours(10 * 24);

impl Attempts {
    /// Counts one more, and says how long the next waits: twice as long as the one before, a bit
    /// more or less, and as long as the authority asked for.
    pub(super) fn fail(
        &mut self,
        error: String,
        asked: Option<Duration>,
        pace: Pace,
        now: Timestamp,
    ) -> Duration {
        let doubled = pace.first.saturating_mul(1 << self.failures.min(20));
        let wait = spread(doubled.min(pace.longest), random());
        let wait = wait.max(asked.unwrap_or_default().min(LONGEST_ASKED));
        *self = Self {
            failures: self.failures.saturating_add(1),
            failed_at: now.millis(),
            retry_at: now.after(wait).millis(),
            error,
        };
        wait
    }

    /// Whether the next may be now. A failure of the future is one of a clock that was wrong.
    pub(super) fn may_try(&self, now: Timestamp) -> bool {
        now.millis() >= self.retry_at || now.millis() < self.failed_at
    }

    /// Why the last one failed, and when the next may be.
    pub(super) fn failure(&self) -> Option<(&str, Timestamp)> {
        let at = Timestamp::from_millis(self.retry_at);
        (self.failures > 0).then_some((self.error.as_str(), at))
    }
}

/// Between three quarters and five quarters of it.
fn spread(wait: Duration, random: u16) -> Duration {
    wait * 3 / 4 + wait / 2 * u32::from(random) / u32::from(u16::MAX)
}

fn random() -> u16 {
    let mut bytes = [0; 2];
    let _ = getrandom::fill(&mut bytes); // Without any, everyone waits alike.
    u16::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    #[test]
    fn each_failure_waits_longer_up_to_the_longest() {
        let mut attempts = Attempts::default();
        assert!(attempts.may_try(at(0)) && attempts.failure().is_none());
        let mut waits = Vec::new();
        for _ in 0..40 {
            waits.push(attempts.fail("x".into(), None, NAME, at(0)));
        }
        for (index, wait) in waits.iter().enumerate() {
            let usual = Duration::from_mins(5) * (1 << index.min(10));
            let usual = usual.min(Duration::from_hours(12));
            assert!(*wait >= usual * 3 / 4 && *wait <= usual * 5 / 4, "{index}");
        }
        assert_eq!(spread(NAME.first, 0), NAME.first * 3 / 4);
        assert_eq!(spread(NAME.first, u16::MAX), NAME.first * 5 / 4);
    }

    #[test]
    fn what_an_authority_asks_for_is_waited_for_and_no_nonsense() {
        let mut attempts = Attempts::default();
        let hour = Duration::from_hours(1);
        assert_eq!(
            attempts.fail("x".into(), Some(hour), AUTHORITY, at(0)),
            hour
        );
        assert!(!attempts.may_try(at(3599)) && attempts.may_try(at(3600)));
        let ages = Some(Duration::from_secs(u64::MAX));
        assert_eq!(
            attempts.fail("x".into(), ages, AUTHORITY, at(0)),
            LONGEST_ASKED
        );
    }

    #[test]
    fn a_clock_that_was_ahead_holds_nothing_up_once_it_is_right() {
        let mut attempts = Attempts::default();
        attempts.fail("x".into(), None, NAME, at(1_000_000));
        assert!(!attempts.may_try(at(1_000_001)));
        assert!(attempts.may_try(at(999_999)));
    }
}
