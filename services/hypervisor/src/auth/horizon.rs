//! What has ended for good, whatever the clock says at this moment.
//!
//! A clock may be a year ahead for a minute, or at a start, before it is set. Whoever asks then
//! is refused, which is mended with the clock; what is deleted is not. So only that is deleted
//! which every reading of the clock during the last day of running calls past.

use super::AuthError;
use crate::store::Store;
use crate::timestamp::Timestamp;
use std::time::Duration;

/// Where the store keeps it, so that a day may be made of many short runs.
const KEY: &str = "clock_readings";

/// How long the clock must have said so, in time that this program ran.
const PERIOD: Duration = Duration::from_hours(24);

/// What the clock was read at, in this period of running and in the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Horizon {
    /// The earliest reading of the period before.
    before: Timestamp,
    /// The earliest and the latest of this one.
    earliest: Timestamp,
    latest: Timestamp,
    /// How long this one has lasted.
    ran: Duration,
}

/// What one more reading has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    /// What was to end before this has ended for good.
    pub(super) past: Timestamp,
    /// A period is over: what was begun after this, its latest reading, was begun by a clock
    /// that was ahead.
    pub(super) ahead: Option<Timestamp>,
}

impl Horizon {
    /// Without a period before: nothing is past yet.
    fn new(now: Timestamp) -> Self {
        Self {
            before: Timestamp::from_millis(0),
            earliest: now,
            latest: now,
            ran: Duration::ZERO,
        }
    }

    /// Reads the clock, `ran` after the last time.
    pub(super) fn read(&mut self, now: Timestamp, ran: Duration) -> Settled {
        self.earliest = self.earliest.min(now);
        self.latest = self.latest.max(now);
        self.ran += ran;
        let mut ahead = None;
        if self.ran >= PERIOD {
            ahead = Some(self.latest);
            *self = Self {
                before: self.earliest,
                ..Self::new(now)
            };
        }
        Settled {
            past: self.past(),
            ahead,
        }
    }

    /// What was to end before this has ended for good.
    pub(super) fn past(&self) -> Timestamp {
        self.before.min(self.earliest)
    }

    pub(super) fn recall(store: &dyn Store) -> Result<Self, AuthError> {
        let new = Self::new(Timestamp::now());
        let kept = store.get_or_insert_meta(KEY, &new.text())?;
        // What cannot be read only puts off what is deleted.
        Ok(Self::parse(&kept).unwrap_or(new))
    }

    pub(super) fn keep(self, store: &dyn Store) -> Result<(), AuthError> {
        Ok(store.set_meta(KEY, &self.text())?)
    }

    fn text(self) -> String {
        let [before, earliest, latest] =
            [self.before, self.earliest, self.latest].map(Timestamp::millis);
        format!("{before} {earliest} {latest} {}", self.ran.as_secs())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut time = || Some(Timestamp::from_millis(words.next()?.parse().ok()?));
        Some(Self {
            before: time()?,
            earliest: time()?,
            latest: time()?,
            ran: Duration::from_secs(words.next()?.parse().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    /// A clock that is right, and a program that reads it each minute for `days`.
    fn run(horizon: &mut Horizon, from: Timestamp, days: u32) -> Settled {
        let mut now = from;
        let mut settled = horizon.read(now, Duration::ZERO);
        for _ in 0..days * 24 * 60 {
            now = now.after(MINUTE);
            settled = horizon.read(now, MINUTE);
        }
        settled
    }

    #[test]
    fn what_is_past_follows_the_clock_within_two_days_of_running() {
        let mut horizon = Horizon::new(START);
        let first = run(&mut horizon, START, 1);
        assert_eq!(first.past, START);
        assert_eq!(first.ahead, Some(START.after(PERIOD)));
        let later = run(&mut horizon, START.after(PERIOD), 10).past;
        assert!(later >= START.after(9 * PERIOD) && later < START.after(11 * PERIOD));
    }

    #[test]
    fn a_jump_makes_nothing_past_also_when_a_period_ends_in_it() {
        let far = START.after(PERIOD * 400);
        for minutes in [0, 1, 24 * 60 - 1, 24 * 60, 24 * 60 + 1] {
            let mut horizon = Horizon::new(START);
            run(&mut horizon, START, 1);
            let mut now = START.after(PERIOD);
            for _ in 0..minutes {
                now = now.after(MINUTE);
                horizon.read(now, MINUTE);
            }
            assert!(horizon.read(far, MINUTE).past <= now);
            assert!(horizon.read(now, MINUTE).past <= now, "back again");
            assert!(run(&mut horizon, now, 3).past < now.after(PERIOD * 3));
        }
    }

    #[test]
    fn a_start_far_ahead_makes_nothing_past_until_the_clock_has_said_so_for_long() {
        let mut horizon = Horizon::new(START);
        run(&mut horizon, START, 3);
        let known = horizon.read(START.after(PERIOD * 3), Duration::ZERO).past;
        let mut restarted = Horizon::parse(&horizon.text()).unwrap();
        let far = START.after(PERIOD * 400);
        assert!(restarted.read(far, Duration::ZERO).past <= START.after(PERIOD * 3));
        // It was off for a year, and the clock is right.
        for _ in 0..47 {
            assert!(restarted.read(far, PERIOD / 24).past >= known);
        }
        assert_eq!(restarted.read(far, PERIOD / 24).past, far);
    }

    #[test]
    fn it_is_kept_as_text() {
        let mut horizon = Horizon::new(START);
        horizon.read(START.after(MINUTE), MINUTE);
        assert_eq!(Horizon::parse(&horizon.text()), Some(horizon));
        for text in ["", "1", "1 2 3", "a b c d", "1 2 3 -4"] {
            assert_eq!(Horizon::parse(text), None, "{text}");
        }
    }
}
