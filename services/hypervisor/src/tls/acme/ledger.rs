//! Which orders there are: one a name at most, a few at once, and none before its time.

use super::attempts::{AUTHORITY, Attempts, NAME};
use super::problem::{Failure, Fault};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Orders at once.
const LIMIT: usize = 4;

/// What failed, as it is kept over a restart.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Failures {
    /// The authority itself.
    authority: Attempts,
    names: HashMap<String, Attempts>,
}

/// The orders, and what failed.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    failures: Failures,
    /// Those that are under way or wait; each is cancelled when it ended, whichever way.
    orders: HashMap<String, CancellationToken>,
    waiting: VecDeque<String>,
    running: usize,
}

impl Ledger {
    pub(super) fn new(failures: Failures) -> Self {
        Self {
            failures,
            ..Self::default()
        }
    }

    /// The end of the order for this name, which there is from now on, unless it is not the time
    /// for one.
    pub(super) fn ask(&mut self, name: &str, now: Timestamp) -> Option<CancellationToken> {
        if let Some(order) = self.orders.get(name) {
            return Some(order.clone());
        }
        let of_name = self.failures.names.get(name);
        let may_try = self.failures.authority.may_try(now)
            && of_name.is_none_or(|attempts| attempts.may_try(now));
        if !may_try {
            return None;
        }
        let order = CancellationToken::new();
        self.orders.insert(name.to_owned(), order.clone());
        self.waiting.push_back(name.to_owned());
        Some(order)
    }

    /// The next order that is to begin.
    pub(super) fn begin(&mut self) -> Option<String> {
        if self.running == LIMIT {
            return None;
        }
        let name = self.waiting.pop_front()?;
        self.running += 1;
        Some(name)
    }

    /// Ends one that began, and says how long the next waits if it failed in a way that nobody
    /// was told of yet.
    pub(super) fn end(
        &mut self,
        name: &str,
        failure: Option<&Failure>,
        now: Timestamp,
    ) -> Option<Duration> {
        self.running -= 1;
        self.forget(name);
        let Some(failure) = failure else {
            self.failures.authority = Attempts::default();
            self.failures.names.remove(name);
            return None;
        };
        let (said, asked) = (failure.to_string(), failure.retry_after);
        let (attempts, pace) = match failure.fault {
            // Several may have found out at once.
            Fault::Authority if !self.failures.authority.may_try(now) => return None,
            Fault::Authority => {
                // It would say the same to those that wait.
                for waiting in std::mem::take(&mut self.waiting) {
                    self.forget(&waiting);
                }
                (&mut self.failures.authority, AUTHORITY)
            }
            Fault::Name => {
                // It has answered.
                self.failures.authority = Attempts::default();
                (
                    self.failures.names.entry(name.to_owned()).or_default(),
                    NAME,
                )
            }
        };
        Some(attempts.fail(said, asked, pace, now))
    }

    fn forget(&mut self, name: &str) {
        if let Some(order) = self.orders.remove(name) {
            order.cancel();
        }
    }

    /// Forgets what failed, so that all of it may be tried at once.
    pub(super) fn forget_failures(&mut self) {
        self.failures = Failures::default();
    }

    /// Forgets the failures of names that there are no more.
    pub(super) fn keep(&mut self, exists: impl Fn(&str) -> bool) {
        self.failures.names.retain(|name, _| exists(name));
    }

    /// Whether there is an order for this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.orders.contains_key(name)
    }

    /// Why there was none the last time, and when the next may be.
    pub(super) fn failure(&self, name: &str) -> Option<(&str, Timestamp)> {
        let of_name = self.failures.names.get(name).and_then(Attempts::failure);
        of_name.or_else(|| self.failures.authority.failure())
    }

    /// The names that failed or are under way.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.failures.names.keys().chain(self.orders.keys())
    }

    pub(super) fn failures(&self) -> &Failures {
        &self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn failed(fault: Fault) -> Failure {
        Failure::new(fault, "it is said so")
    }

    #[test]
    fn however_many_ask_there_is_one_order_a_name_and_few_at_once() {
        let mut ledger = Ledger::default();
        for name in ["a", "b", "a", "c", "d", "e", "a"] {
            assert!(ledger.ask(name, NOW).is_some());
        }
        let begun: Vec<_> = std::iter::from_fn(|| ledger.begin()).collect();
        assert_eq!(begun, ["a", "b", "c", "d"]);
        let waiting = ledger.ask("a", NOW).unwrap();
        ledger.end("a", None, NOW);
        assert!(waiting.is_cancelled() && !ledger.has("a"));
        assert_eq!(ledger.begin().as_deref(), Some("e"));
        assert_eq!(ledger.begin(), None);
    }

    #[test]
    fn a_name_that_failed_waits_and_others_do_not() {
        let mut ledger = Ledger::default();
        let order = ledger.ask("a", NOW).unwrap();
        ledger.begin();
        let wait = ledger.end("a", Some(&failed(Fault::Name)), NOW).unwrap();
        assert!(order.is_cancelled());
        assert!(ledger.ask("a", NOW).is_none() && ledger.ask("b", NOW).is_some());
        assert_eq!(ledger.failure("a").unwrap().0, "it is said so");
        assert!(ledger.ask("a", NOW.after(wait)).is_some());

        // Kept over a restart.
        let kept = serde_json::to_string(ledger.failures()).unwrap();
        let mut again = Ledger::new(serde_json::from_str(&kept).unwrap());
        assert!(again.ask("a", NOW).is_none());
        again.forget_failures();
        assert!(again.ask("a", NOW).is_some());
    }

    #[test]
    fn an_authority_that_is_away_holds_all_of_them_up() {
        let mut ledger = Ledger::default();
        let names = ["a", "b", "c", "d", "e"];
        let orders = names.map(|name| ledger.ask(name, NOW).unwrap());
        ledger.begin();
        let failure = failed(Fault::Authority);
        let wait = ledger.end("a", Some(&failure), NOW).unwrap();
        assert!(orders.iter().all(CancellationToken::is_cancelled));
        assert!(names.iter().all(|name| ledger.ask(name, NOW).is_none()));
        assert!(ledger.ask("e", NOW.after(wait)).is_some());
    }
}
