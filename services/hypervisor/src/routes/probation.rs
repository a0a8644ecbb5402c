//! Watches live after a swap on probation, and takes the swap back when live is not healthy.
//!
//! The store knows of the watch from the swap's own transaction on, so that it survives whoever
//! asked for it and this program itself. It ends when the time is over, or the routes change.

use super::change::ChangeError;
use super::error::SwapError;
use super::route::Workspace;
use super::swap::SwapOrder;
use super::table::{Routes, Watched};
use crate::auth;
use crate::runtime::{RuntimeError, Sandbox, Status};
use crate::store::{Outcome, ProbationRow, StoreError, Watch};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// Between two probes, and before another try at what failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What one look at live has found.
enum Look {
    Healthy,
    Ill(String),
    /// This program ends; the next start goes on.
    Ending,
}

impl Routes {
    /// Seconds for which the workspace's last swap is still on probation.
    pub fn probation_left(&self, workspace: &str) -> Option<u64> {
        let watched = self.watched.get(workspace)?;
        Some(
            watched
                .lasts
                .saturating_sub(watched.begun.elapsed())
                .as_secs(),
        )
    }

    /// How many workspaces are on probation.
    pub fn probations(&self) -> usize {
        self.watched.len()
    }

    /// Goes on with the watches that an earlier run of this program began.
    pub(super) async fn resume_probations(self: &Arc<Self>) -> Result<(), StoreError> {
        let rows = self.store.run(|store| store.probations()).await?;
        for row in rows.into_iter().filter(|row| row.outcome.is_none()) {
            // One that is retired is looked at when it is back.
            if let Some(workspace) = self.named(&row.workspace) {
                let left = left(&row);
                info!(
                    workspace = row.workspace,
                    generation = row.generation,
                    secs = left.as_secs(),
                    "the last swap is still on probation"
                );
                self.watch(&workspace, row.generation, left);
            }
        }
        Ok(())
    }

    /// Watches live of this generation in the background.
    pub(super) fn watch(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        generation: u64,
        lasts: Duration,
    ) {
        let begun = Instant::now();
        let watched = Watched {
            generation,
            begun,
            lasts,
        };
        self.watched.insert(workspace.name.clone(), watched);
        let (routes, workspace) = (self.clone(), workspace.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = routes.end.cancelled() => {}
                () = routes.watch_whole(&workspace, generation, begun, lasts) => {}
            }
            // A later swap may have begun another one.
            let is_this = |_: &Arc<str>, it: &Watched| it.generation == generation;
            routes.watched.remove_if(&workspace.name, is_this);
        });
    }

    async fn watch_whole(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        generation: u64,
        begun: Instant,
        lasts: Duration,
    ) {
        let mut failed = false;
        let crashes = workspace.pair().live.sandbox.crashes();
        // After a start of this program it may not be known yet, or come up only now; whether that
        // went well is seen below.
        let _ = workspace.pair().live.sandbox.ready().await;
        loop {
            let pair = workspace.pair();
            if pair.generation() != generation {
                return overtaken(workspace, generation);
            }
            let live = &pair.live.sandbox;
            if live.crashes() > crashes {
                let cause = format!("{} crashed, and was started again", live.name());
                return self.end_ill(workspace, generation, cause).await;
            }
            match look(live).await {
                Look::Ending => return,
                Look::Healthy if begun.elapsed() >= lasts => {
                    return self.pass(workspace, generation).await;
                }
                Look::Healthy => failed = false,
                Look::Ill(_) if !failed => failed = true,
                Look::Ill(cause) => return self.end_ill(workspace, generation, cause).await,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn pass(&self, workspace: &Arc<Workspace>, generation: u64) {
        loop {
            let name = workspace.name.clone();
            let passed = self.store.run(move |store| {
                store.end_probation(&name, generation, Outcome::Passed, "live was healthy")
            });
            match passed.await {
                Ok(()) => break,
                Err(error) => {
                    warn!(workspace = %workspace.name, %error, "cannot note that the probation is passed; trying again");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        info!(workspace = %workspace.name, generation, "live was healthy on probation, and the swap stays");
    }

    /// Takes back what is on probation, whichever change it was.
    async fn end_ill(self: &Arc<Self>, workspace: &Arc<Workspace>, generation: u64, cause: String) {
        let promoted = loop {
            let name = workspace.name.to_string();
            match self.store.run(move |store| store.probation(&name)).await {
                Ok(row) => break row.and_then(|row| Some((row.change?, row.restore_data))),
                Err(error) => {
                    warn!(workspace = %workspace.name, %error, "cannot look up what is on probation; trying again");
                }
            }
            tokio::time::sleep(PAUSE).await;
        };
        match promoted {
            None => self.take_back(workspace, generation, cause).await,
            Some(promoted) => self.undo_ill(workspace, promoted, generation, cause).await,
        }
    }

    /// Undoes the promotion on probation.
    async fn undo_ill(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        promoted: (i64, bool),
        generation: u64,
        cause: String,
    ) {
        loop {
            let undone = self.undo_on_probation(workspace, promoted, generation, cause.clone());
            match undone.await {
                Ok(undone) => {
                    let said = format!(
                        "{undone}: taken back, since live was not healthy on probation ({cause})"
                    );
                    warn!(workspace = %workspace.name, generation, release = undone.release, "{said}");
                    return self.audit(workspace, "promotion_undone", said).await;
                }
                Err(ChangeError::StaleGeneration { .. } | ChangeError::NothingToUndo { .. }) => {
                    return overtaken(workspace, generation);
                }
                // What was there before is not well either: going back and forth helps nobody.
                Err(error @ ChangeError::TakenBack { .. }) => {
                    let why = format!("live is not healthy ({cause}), and {error}");
                    warn!(workspace = %workspace.name, generation, "{why}");
                    return self.give_up(workspace, generation, why).await;
                }
                Err(error) => {
                    warn!(workspace = %workspace.name, %error, "live is not healthy on probation ({cause}), and the promotion cannot be undone yet; trying again");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn give_up(&self, workspace: &Arc<Workspace>, generation: u64, why: String) {
        let name = workspace.name.clone();
        let noted = self
            .store
            .run(move |store| store.end_probation(&name, generation, Outcome::Overtaken, &why));
        if let Err(error) = noted.await {
            warn!(workspace = %workspace.name, %error, "cannot note the end of the probation");
        }
    }

    /// Swaps back, whatever dev's health: it was live before. Until that is done or somebody
    /// else has changed the routes.
    async fn take_back(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        generation: u64,
        cause: String,
    ) {
        loop {
            let order = SwapOrder {
                expect_generation: Some(generation),
                force: true,
                ..SwapOrder::default()
            };
            let watch = Watch::TakenBack {
                cause: cause.clone(),
            };
            match self
                .swap_watched(workspace, order, watch, "probation")
                .await
            {
                Ok(swapped) => {
                    let said = format!(
                        "{swapped}: taken back, since live was not healthy on probation ({cause})"
                    );
                    warn!(workspace = %workspace.name, generation, live = %swapped.live, "{said}");
                    return self.audit_swap(workspace, said).await;
                }
                Err(SwapError::StaleGeneration { .. }) => return overtaken(workspace, generation),
                Err(error) => {
                    warn!(workspace = %workspace.name, %error, "live is not healthy on probation ({cause}), and the swap cannot be taken back yet; trying again");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Tells each owner in the audit log.
    pub async fn audit_swap(&self, workspace: &Workspace, said: String) {
        self.audit(workspace, "swapped", said).await;
    }

    /// Tells each owner in the audit log of something that was done to their workspace.
    pub async fn audit(&self, workspace: &Workspace, event: &'static str, said: String) {
        let name = workspace.name.clone();
        let owners = self.owners().into_iter().filter(|(_, of)| of.name == name);
        let mut users: Vec<_> = owners.map(|(user, _)| Some(user)).collect();
        if users.is_empty() {
            users.push(None); // It happened all the same.
        }
        let noted = self.store.run(move |store| {
            for user in users {
                auth::audit_event(store, event, user, None, said.clone());
            }
            Ok::<_, StoreError>(())
        });
        if let Err(error) = noted.await {
            tracing::error!(%error, "an event is missing from the audit log");
        }
    }
}

/// How long a probation that was interrupted has left, whatever the clock did meanwhile.
fn left(row: &ProbationRow) -> Duration {
    let millis = row.until.millis().saturating_sub(Timestamp::now().millis());
    let left = Duration::from_millis(millis.max(0).cast_unsigned());
    left.min(Duration::from_secs(row.secs))
}

/// One that rests, for want of requests or by hand, is started first, as a request would.
async fn look(live: &Arc<Sandbox>) -> Look {
    if live.view().status == Status::Stopped {
        match live.ready().await {
            Ok(()) => {}
            Err(RuntimeError::ShuttingDown { .. }) => return Look::Ending,
            Err(error) => return Look::Ill(error.to_string()),
        }
    }
    match live.probe().await {
        Ok(()) => Look::Healthy,
        Err(error) => Look::Ill(error.to_string()),
    }
}

fn overtaken(workspace: &Workspace, generation: u64) {
    info!(
        workspace = %workspace.name, generation,
        "the routes were changed by somebody else, and the probation of this swap is over"
    );
}
