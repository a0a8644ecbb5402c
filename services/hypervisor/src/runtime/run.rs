//! One run of a sandbox, from healthy to gone, and the holds on it.

use crate::clock;
use crate::gate::Gate;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One run of a sandbox: it appears when healthy, and is never used again once its gate closed.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) address: SocketAddr,
    pub(super) gate: Gate,
    pub(super) started: Instant,
    /// Milliseconds on our own clock at which the last hold ended.
    used: AtomicU64,
}

impl Run {
    pub(super) fn new(address: SocketAddr, started: Instant) -> Self {
        let run = Self {
            address,
            gate: Gate::new(),
            started,
            used: AtomicU64::new(0),
        };
        run.touch();
        run
    }

    pub(super) fn hold(self: &Arc<Self>) -> Option<Hold> {
        self.gate.enter().then(|| Hold(Arc::clone(self)))
    }

    /// How long nobody has held it.
    pub(super) fn idle(&self) -> Duration {
        if self.gate.inside() > 0 {
            return Duration::ZERO;
        }
        let used = Duration::from_millis(self.used.load(Ordering::Relaxed));
        clock::monotonic().saturating_sub(used)
    }

    /// Resolves once nobody has held it for `limit` (zero: never), with its gate closed in the
    /// same moment: a request that comes then finds no run and asks for a new one. (That
    /// the two exclude each other is model-checked with the gate.)
    pub(super) async fn idle_for(&self, limit: Duration) {
        if limit.is_zero() {
            std::future::pending::<()>().await;
        }
        loop {
            let rest = limit.saturating_sub(self.idle());
            if rest.is_zero() && self.gate.close_if_empty() {
                return;
            }
            tokio::time::sleep(rest).await;
        }
    }

    fn touch(&self) {
        let now = u64::try_from(clock::monotonic().as_millis()).unwrap_or(u64::MAX);
        self.used.store(now, Ordering::Relaxed);
    }
}

/// A hold on a running sandbox: while it lives, the sandbox is not idle.
#[derive(Debug)]
pub struct Hold(Arc<Run>);

impl Hold {
    /// Where the sandbox listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Before the leave, whose release makes it visible to whoever then sees nobody inside.
        self.0.touch();
        self.0.gate.leave();
    }
}
