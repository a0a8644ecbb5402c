//! What is done when live falls ill on probation.

use super::{PAUSE, is_same, overtaken};
use crate::routes::change::ChangeError;
use crate::routes::error::SwapError;
use crate::routes::insist::{SOON, until_done};
use crate::routes::route::{Route, Workspace};
use crate::routes::swap::SwapOrder;
use crate::routes::table::Routes;
use crate::store::{Outcome, Watch};
use std::sync::Arc;
use tracing::warn;

impl Routes {
    /// Takes back what is on probation, whichever change it was.
    pub(super) async fn end_ill(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        watched: &Route,
        cause: String,
    ) {
        let look_up = || {
            let name = workspace.name.to_string();
            self.store.run(move |store| store.probation(&name))
        };
        let failed = "cannot look up what is on probation";
        let row = until_done(SOON, &workspace.name, failed, look_up).await;
        match row.and_then(|row| Some((row.change?, row.restore_data))) {
            None => self.take_back(workspace, watched, cause).await,
            Some(promoted) => self.undo_ill(workspace, promoted, cause).await,
        }
    }

    /// Undoes the promotion on probation.
    async fn undo_ill(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        promoted: (i64, bool),
        cause: String,
    ) {
        loop {
            let undone = self.undo_on_probation(workspace, promoted, cause.clone());
            let generation = workspace.pair().generation();
            match undone.await {
                Ok(undone) => {
                    let said = format!(
                        "{undone}: taken back, since live was not healthy on probation ({cause})"
                    );
                    warn!(workspace = %workspace.name, generation, release = undone.release, "{said}");
                    return self.audit_own(workspace, "promotion_undone", said).await;
                }
                Err(ChangeError::NothingToUndo { .. }) => {
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
        watched: &Route,
        cause: String,
    ) {
        loop {
            let pair = workspace.pair();
            let generation = pair.generation();
            if !is_same(&pair.live, watched) {
                return overtaken(workspace, generation);
            }
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
                    return self.audit_own(workspace, "swapped", said).await;
                }
                // Dev was changed in between.
                Err(SwapError::StaleGeneration { .. }) => {}
                Err(error) => {
                    warn!(workspace = %workspace.name, %error, "live is not healthy on probation ({cause}), and the swap cannot be taken back yet; trying again");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
