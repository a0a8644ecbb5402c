//! How many requests there may be at once: of one user, in one sandbox, in the whole gateway.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many at once, and no more. Two atomic operations a permit: tokio's semaphore takes a lock to
/// have one back, and all workers would share it.
pub(crate) struct ConcurrencyLimit {
    /// Cloned for each permit, so that its count of owners is the count of permits, and one.
    permits: Arc<()>,
    limit: usize,
}

/// One of its permits; given back when dropped.
pub(crate) struct Permit {
    _given: Arc<()>,
}

impl ConcurrencyLimit {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            permits: Arc::default(),
            limit,
        }
    }

    /// A permit, if there is one. Above the limit nobody waits.
    fn enter(&self) -> Option<Permit> {
        // Counted before it is looked at: of two who want the last permit, one at most gets it.
        let permit = Permit {
            _given: Arc::clone(&self.permits),
        };
        (self.taken() <= self.limit).then_some(permit)
    }

    /// How many permits are taken.
    pub(crate) fn taken(&self) -> usize {
        Arc::strong_count(&self.permits) - 1
    }
}

/// How many requests were refused, by what was full.
#[derive(Default)]
pub(crate) struct RejectionCounters([AtomicU64; Scope::ALL.len()]);

impl RejectionCounters {
    /// A permit of `concurrency_limit`, or a counted refusal.
    pub(crate) fn permit(
        &self,
        scope: Scope,
        concurrency_limit: &ConcurrencyLimit,
    ) -> Result<Permit, Full> {
        concurrency_limit.enter().ok_or_else(|| {
            self.0[scope as usize].fetch_add(1, Ordering::Relaxed);
            let limit = concurrency_limit.limit;
            Full { scope, limit }
        })
    }

    /// How many were refused because of `scope`.
    pub(crate) fn count(&self, scope: Scope) -> u64 {
        self.0[scope as usize].load(Ordering::Relaxed)
    }
}

/// What holds so many requests at once, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One user's requests, wherever they go.
    User,
    /// One sandbox's, whoever sends them.
    Sandbox,
    /// All that the gateway carries.
    Server,
    /// Those of one sandbox's visitors, who are no users with a limit of their own.
    Visitors,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::User, Self::Sandbox, Self::Server, Self::Visitors];

    /// `user`, `sandbox`, `server` or `visitors`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Sandbox => "sandbox",
            Self::Server => "server",
            Self::Visitors => "visitors",
        }
    }
}

/// A limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} {limit} requests under way, and may have no more", self.subject())]
pub struct Full {
    /// Whose limit.
    pub scope: Scope,
    /// How many requests it allows.
    pub limit: usize,
}

impl Full {
    const fn subject(&self) -> &'static str {
        match self.scope {
            Scope::User => "you have",
            Scope::Sandbox => "it has",
            Scope::Server => "this server has",
            Scope::Visitors => "its visitors have",
        }
    }

    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self.scope {
            Scope::User => "user_busy",
            Scope::Sandbox => "sandbox_busy",
            Scope::Server => "server_busy",
            Scope::Visitors => "visitors_busy",
        }
    }

    /// What to do.
    pub const fn remedy(&self) -> &'static str {
        match self.scope {
            Scope::User => {
                "Close some of your pages and try again, or have the operator raise proxy.max_requests_per_user."
            }
            Scope::Sandbox => {
                "Try again in a moment, or have the operator raise proxy.max_requests_per_sandbox."
            }
            Scope::Server => {
                "Try again in a moment, or have the operator raise proxy.max_requests."
            }
            Scope::Visitors => {
                "Try again in a moment, or have the operator raise proxy.max_requests_per_sandbox, half of which is for visitors."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_each_comes_back() {
        let limit = ConcurrencyLimit::new(2);
        let (one, two) = (limit.enter(), limit.enter());
        assert!(one.is_some() && two.is_some());
        assert!(limit.enter().is_none() && limit.enter().is_none());
        assert_eq!(limit.taken(), 2, "a refusal takes no permit");
        drop(one);
        assert!(limit.enter().is_some());
        assert_eq!(limit.taken(), 1);
        assert!(ConcurrencyLimit::new(usize::MAX).enter().is_some());
    }

    #[test]
    fn however_many_come_at_once_no_more_than_the_limit_get_in() {
        let limit = ConcurrencyLimit::new(3);
        let inside = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let Some(_permit) = limit.enter() else {
                            continue;
                        };
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(limit.taken(), 0);
    }

    #[test]
    fn refusals_are_counted_by_what_was_full() {
        let (rejections, full) = (RejectionCounters::default(), ConcurrencyLimit::new(0));
        assert!(rejections.permit(Scope::Sandbox, &full).is_err());
        assert_eq!(
            Scope::ALL.map(|scope| rejections.count(scope)),
            [0, 1, 0, 0]
        );
    }
}
