//! Requests that wait at the gate while what is behind it is changed.

use super::error::ClaimError;
use super::held::{Held, HoldMetrics};
use super::route::{Pair, Route, Workspace};
use super::table::Routes;
use crate::role::Role;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Who comes to this role waits until this is dropped, or let in.
pub(super) struct RoleHold {
    routes: Arc<Routes>,
    workspace: Arc<Workspace>,
    /// The route that was closed.
    pub(super) old: Arc<Route>,
    held: Arc<Held>,
    pub(super) begun: Instant,
}

impl RoleHold {
    /// Holds who comes from now on. What is open without an end of its own, such as a WebSocket,
    /// is told to come again, and then waits as well.
    pub(super) fn begin(routes: &Arc<Routes>, workspace: &Arc<Workspace>, role: Role) -> Self {
        let held = Arc::<Held>::default();
        let pair = workspace.pair();
        let old = pair.route(role).clone();
        let route = routes.renewed(&old, old.generation, Some(held.clone()));
        workspace
            .pair
            .store(Arc::new(pair.with(pair.generation, route)));
        old.gate.close();
        // Also for who was routed before, and finds it at rest.
        old.sandbox.set_reserved(true);
        old.drain_deadline.cancel();
        Self {
            routes: routes.clone(),
            workspace: workspace.clone(),
            old,
            held,
            begun: Instant::now(),
        }
    }

    /// Resolves when nobody holds the sandbox any longer.
    ///
    /// # Errors
    /// How many still do when `limit` is over.
    pub(super) async fn drained(&self, limit: Duration) -> Result<(), usize> {
        let sandbox = &self.old.sandbox;
        let empty = async {
            // Those of earlier generations count, too.
            while sandbox.holds() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let in_time = tokio::time::timeout(limit, empty).await;
        in_time.map_err(|_| sandbox.holds())
    }

    /// For how long requests have been held.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Lets in whoever waits, to this generation; says how many have.
    pub(super) fn let_in(self, generation: u64) -> usize {
        self.open(generation);
        self.held.requests.load(Ordering::Relaxed)
    }

    /// Has whoever waits look for where it is now: not here. Says how many have waited.
    pub(super) fn send_on(self) -> usize {
        self.held.over.cancel();
        self.held.requests.load(Ordering::Relaxed)
    }

    fn open(&self, generation: u64) {
        let pair = self.workspace.pair();
        if !self.held.over.is_cancelled() {
            let is_new = generation != pair.generation;
            let of_route = if is_new {
                generation
            } else {
                self.old.generation
            };
            let route = self.routes.renewed(&self.old, of_route, None);
            route.sandbox.set_reserved(false);
            self.workspace
                .pair
                .store(Arc::new(pair.with(generation, route)));
            self.held.over.cancel();
        }
    }
}

impl Drop for RoleHold {
    fn drop(&mut self) {
        // Whatever became of the change, nobody waits for nothing.
        self.open(self.workspace.pair().generation);
    }
}

impl Pair {
    /// The same with another route of its role.
    fn with(&self, generation: u64, route: Arc<Route>) -> Self {
        let (live, dev) = match route.role {
            Role::Live => (route, self.dev.clone()),
            Role::Dev => (self.live.clone(), route),
        };
        Self {
            generation,
            live,
            dev,
        }
    }
}

impl Routes {
    /// The requests that are held, and were.
    pub fn hold_metrics(&self) -> &HoldMetrics {
        &self.holds
    }

    /// Resolves when what a request waits for is over; it may then be routed.
    pub(super) async fn held(&self, held: &Held, sandbox: &str) -> Result<(), ClaimError> {
        let _counted = self.holds.wait();
        held.requests.fetch_add(1, Ordering::Relaxed);
        // Beyond the limit of a change it may take as long to put everything back.
        let limit = self.hold_limit() * 2;
        let waited = tokio::time::timeout(limit, held.over.cancelled()).await;
        waited.map_err(|_| ClaimError::Held {
            sandbox: sandbox.to_owned(),
        })
    }

    /// What a change may take until it is taken back.
    pub(super) fn hold_limit(&self) -> Duration {
        Duration::from_secs(self.config.runtime.hold_secs)
    }
}
