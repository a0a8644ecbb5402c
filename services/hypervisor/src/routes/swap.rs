//! The swap: probe, store, publish, close, and only then answer.

use super::drain;
use super::error::SwapError;
use super::fail_point::fail_point;
use super::route::{Pair, Route, Workspace};
use super::table::Routes;
use crate::role::Role;
use crate::store::{Conflict, StoreError, Watch, WorkspaceRow};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tracing::info;

/// What a swap is asked for with.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SwapOrder {
    /// Swap only if the routes are still at this generation.
    pub expect_generation: Option<u64>,
    /// Seconds that claims of the old generation have before WebSockets are closed.
    pub drain_secs: u64,
    /// Swap even if the dev sandbox is not healthy.
    pub force: bool,
    /// Seconds for which live is watched afterwards, and the swap taken back if it falls ill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probation_secs: Option<u64>,
}

impl Default for SwapOrder {
    fn default() -> Self {
        Self {
            expect_generation: None,
            drain_secs: 30,
            force: false,
            probation_secs: None,
        }
    }
}

/// What a swap has done.
#[derive(Debug, Clone, Serialize)]
pub struct SwapOutcome {
    /// The workspace.
    pub workspace: String,
    /// The new generation.
    pub generation: u64,
    /// The sandbox that is live now.
    pub live: String,
    /// The sandbox that is dev now.
    pub dev: String,
    /// The order that takes this swap back.
    pub undo: Undo,
    /// The probation that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probation: Option<Probation>,
}

/// A swap that is taken back if live falls ill before it ends.
#[derive(Debug, Clone, Serialize)]
pub struct Probation {
    /// How many seconds it lasts.
    pub secs: u64,
    /// When it ends.
    pub until: Timestamp,
}

impl SwapOutcome {
    fn new(row: WorkspaceRow, probation: Option<Probation>) -> Self {
        Self {
            workspace: row.name,
            generation: row.generation,
            live: row.live,
            dev: row.dev,
            undo: Undo {
                expect_generation: row.generation,
            },
            probation,
        }
    }
}

impl fmt::Display for SwapOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} to generation {}, live in {}",
            self.workspace, self.generation, self.live
        )
    }
}

/// A swap back, good as long as nothing else has changed the routes.
#[derive(Debug, Clone, Serialize)]
pub struct Undo {
    /// The generation to expect.
    pub expect_generation: u64,
}

impl Routes {
    /// Exchanges the two roles' sandboxes of a workspace.
    ///
    /// Once this returns, no new request reaches the sandbox that lost the role; the drain
    /// goes on by itself.
    ///
    /// # Errors
    /// Whatever the error, nothing was changed.
    pub async fn swap(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: SwapOrder,
        by: &str,
    ) -> Result<SwapOutcome, SwapError> {
        let watch = order.probation_secs.map_or(Watch::None, |secs| {
            let until = Timestamp::now().after(Duration::from_secs(secs));
            Watch::Probation {
                secs,
                until,
                change: None,
                restore_data: false,
            }
        });
        self.swap_watched(workspace, order, watch, by).await
    }

    pub(super) async fn swap_watched(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: SwapOrder,
        watch: Watch,
        by: &str,
    ) -> Result<SwapOutcome, SwapError> {
        let (routes, workspace, by) = (self.clone(), workspace.clone(), by.to_owned());
        // A task of its own: between the store and memory no caller may hang up on it.
        tokio::spawn(async move { routes.swap_whole(&workspace, &order, watch, by).await })
            .await
            .unwrap_or(Err(SwapError::Interrupted))
    }

    async fn swap_whole(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: &SwapOrder,
        watch: Watch,
        by: String,
    ) -> Result<SwapOutcome, SwapError> {
        let _one = workspace
            .changing
            .try_lock()
            .map_err(|_| SwapError::InProgress)?;
        let old = workspace.pair();
        let current = old.generation();
        if let Some(expected) = order.expect_generation.filter(|&it| it != current) {
            return Err(SwapError::StaleGeneration { expected, current });
        }
        if !order.force {
            ensure_healthy(&old.dev).await?;
        }
        fail_point("probed");
        let row = self
            .store_swap(&workspace.name, current, watch.clone(), by)
            .await?;
        fail_point("stored");
        self.publish_swap(workspace, &old, row.generation);
        info!(workspace = %workspace.name, generation = row.generation, live = %row.live, "swapped");
        self.swaps.fetch_add(1, Ordering::Relaxed);
        drain::spawn(&old, Duration::from_secs(order.drain_secs));
        let probation = match watch {
            Watch::Probation { secs, until, .. } => {
                self.watch(workspace, row.generation, Duration::from_secs(secs));
                Some(Probation { secs, until })
            }
            Watch::None | Watch::Same | Watch::TakenBack { .. } => None,
        };
        fail_point("drained");
        Ok(SwapOutcome::new(row, probation))
    }

    /// Lets new requests in by the exchanged roles, and none by the old ones any longer.
    fn publish_swap(&self, workspace: &Workspace, old: &Pair, generation: u64) {
        let moved = |role, from: &Route| {
            let (sandbox, limit) = (from.sandbox.clone(), from.concurrency_limit.clone());
            let writes = (role == Role::Live).then(|| workspace.writes.counter());
            self.route(
                &workspace.name,
                generation,
                role,
                (sandbox, limit, writes),
                None,
            )
        };
        workspace.writes.set_shared(workspace.writes.count());
        let new = Pair {
            generation,
            live: moved(Role::Live, &old.dev),
            dev: moved(Role::Dev, &old.live),
        };
        workspace.pair.store(Arc::new(new));
        fail_point("published");
        for route in old.both() {
            route.gate.close();
        }
    }

    /// How many swaps were done since the start, those included that were taken back.
    pub fn swaps(&self) -> u64 {
        self.swaps.load(Ordering::Relaxed)
    }

    async fn store_swap(
        &self,
        workspace: &str,
        expected: u64,
        watch: Watch,
        by: String,
    ) -> Result<WorkspaceRow, SwapError> {
        let name = workspace.to_owned();
        let swapped = self
            .store
            .run(move |store| store.swap(&name, expected, &by, &watch))
            .await;
        swapped.map_err(|error| match error {
            StoreError::Conflict(Conflict::Generation) => SwapError::StaleGeneration {
                expected,
                current: expected + 1,
            },
            error => SwapError::Store(error),
        })
    }
}

/// Whether the dev sandbox is fit to be live: running, itself, and healthy right now.
async fn ensure_healthy(dev: &Route) -> Result<(), SwapError> {
    let sandbox = dev.sandbox.name().to_owned();
    if let Err(cause) = dev.sandbox.ready().await {
        return Err(SwapError::DevNotRunning { sandbox, cause });
    }
    let probed = dev.sandbox.probe().await;
    probed.map_err(|cause| SwapError::DevUnhealthy { sandbox, cause })
}
