//! Watches live after a swap or promotion on probation, and takes that back when live is not healthy.
//!
//! The store knows of the watch from the swap's own transaction on, so that it survives whoever
//! asked for it and this program itself. It ends when the time is over, or the routes change.

mod ill;

use super::insist::{SOON, until_done};
use super::route::{Route, Workspace};
use super::table::{Routes, Watched};
use crate::runtime::{RuntimeError, Sandbox, Status};
use crate::store::{Outcome, ProbationRow, StoreError};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::info;

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
                () = workspace.gone.cancelled() => {}
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
        let watched = workspace.pair().live.clone();
        let mut route = watched.id;
        let mut crashes = watched.sandbox.crashes();
        // After a start of this program it may not be known yet, or come up only now; whether that
        // went well is seen below.
        let _ = workspace.pair().live.sandbox.ready().await;
        loop {
            let pair = workspace.pair();
            // What is done to dev meanwhile makes other generations, and leaves live alone.
            if !is_same(&pair.live, &watched) {
                return overtaken(workspace, generation);
            }
            let live = &watched.sandbox;
            if pair.live.held.is_some() || pair.live.id != route {
                // Another change, which may be taken back: what it does is none of live's.
                (route, crashes) = (pair.live.id, live.crashes());
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            if live.crashes() > crashes {
                let cause = format!("{} crashed, and was started again", live.name());
                return self.end_ill(workspace, &watched, cause).await;
            }
            match look(live).await {
                Look::Ending => return,
                Look::Healthy if begun.elapsed() >= lasts => {
                    return self.pass(workspace, &watched).await;
                }
                Look::Healthy => failed = false,
                Look::Ill(_) if !failed => failed = true,
                Look::Ill(cause) => return self.end_ill(workspace, &watched, cause).await,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn pass(&self, workspace: &Arc<Workspace>, watched: &Route) {
        // While it is noted, no change of dev makes another generation.
        let _only = workspace.changing.lock().await;
        let pair = workspace.pair();
        let generation = pair.generation();
        if !is_same(&pair.live, watched) {
            return overtaken(workspace, generation);
        }
        let pass = || {
            let name = workspace.name.clone();
            self.store.run(move |store| {
                store.end_probation(&name, generation, Outcome::Passed, "live was healthy")
            })
        };
        let failed = "cannot note that the probation is passed";
        until_done(SOON, &workspace.name, failed, pass).await;
        info!(workspace = %workspace.name, generation, "live was healthy on probation, and the change stays");
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

/// Whether nothing has become of live in between; a change that was taken back has not.
fn is_same(live: &Route, watched: &Route) -> bool {
    live.generation == watched.generation && Arc::ptr_eq(&live.sandbox, &watched.sandbox)
}

fn overtaken(workspace: &Workspace, generation: u64) {
    info!(
        workspace = %workspace.name, generation,
        "the routes were changed by somebody else, and the probation of this swap is over"
    );
}
