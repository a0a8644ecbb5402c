//! How many requests there may be at once: of one user, in one sandbox, in the whole gateway.

use super::error::{Full, Scope};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many at once, and no more.
pub(super) struct Cap {
    /// Cloned for each place, so that its count of owners is the count of places, and one.
    places: Arc<()>,
    limit: usize,
}

/// One of a cap's places; given back when dropped.
pub(super) struct Place {
    _given: Arc<()>,
}

impl Cap {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            places: Arc::default(),
            limit,
        }
    }

    /// A place, if there is one. Above the limit nobody waits.
    fn enter(&self) -> Option<Place> {
        // Counted before it is looked at: of two who want the last place, one at most gets it.
        let place = Place {
            _given: Arc::clone(&self.places),
        };
        (self.taken() <= self.limit).then_some(place)
    }

    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        Arc::strong_count(&self.places) - 1
    }
}

/// How many requests were refused, by what was full.
#[derive(Default)]
pub(super) struct Refused([AtomicU64; Scope::ALL.len()]);

impl Refused {
    /// A place of `cap`, or a counted refusal.
    pub(super) fn or_place(&self, scope: Scope, cap: &Cap) -> Result<Place, Full> {
        cap.enter().ok_or_else(|| {
            self.0[scope as usize].fetch_add(1, Ordering::Relaxed);
            let limit = cap.limit;
            Full { scope, limit }
        })
    }

    /// How many were refused because of `scope`.
    pub(super) fn count(&self, scope: Scope) -> u64 {
        self.0[scope as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_each_comes_back() {
        let cap = Cap::new(2);
        let (one, two) = (cap.enter(), cap.enter());
        assert!(one.is_some() && two.is_some());
        assert!(cap.enter().is_none() && cap.enter().is_none());
        assert_eq!(cap.taken(), 2, "a refusal takes no place");
        drop(one);
        assert!(cap.enter().is_some());
        assert_eq!(cap.taken(), 1);
        assert!(Cap::new(usize::MAX).enter().is_some());
    }

    #[test]
    fn however_many_come_at_once_no_more_than_the_limit_get_in() {
        let cap = Cap::new(3);
        let inside = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let Some(_place) = cap.enter() else { continue };
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(cap.taken(), 0);
    }

    #[test]
    fn refusals_are_counted_by_what_was_full() {
        let (refused, full) = (Refused::default(), Cap::new(0));
        assert!(refused.or_place(Scope::Sandbox, &full).is_err());
        assert_eq!(Scope::ALL.map(|scope| refused.count(scope)), [0, 1, 0]);
    }
}
