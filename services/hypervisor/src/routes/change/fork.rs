//! Forks.

use super::back::new_id;
use super::common::{dev_plan, expect, outcome};
use super::error::ChangeError;
use super::order::{ChangeOutcome, ForkOrder, Rehearsal};
use super::run::NewVolume;
use crate::routes::route::Workspace;
use crate::routes::table::Routes;
use crate::runtime::Reason;
use crate::store::{ChangeKind, Watch};
use std::sync::Arc;
use tracing::warn;

impl Routes {
    /// Makes dev's volume a copy of live's, which goes on meanwhile.
    ///
    /// # Errors
    /// Whatever the error, dev has the data that it had.
    pub async fn fork(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: ForkOrder,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let by = by.to_owned();
        let work = move |routes: Arc<Self>, workspace: Arc<Workspace>| async move {
            let workspace = &workspace;
            expect(workspace, order.expect_generation)?;
            routes.fork_whole(workspace, None, by).await
        };
        self.whole(workspace, work).await
    }

    /// Dev runs this release, or what it runs, on a copy of live's data.
    pub(super) async fn fork_whole(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        release: Option<u64>,
        by: String,
    ) -> Result<ChangeOutcome, ChangeError> {
        let pair = workspace.pair();
        let (live, dev) = (pair.live.sandbox.clone(), &pair.dev.sandbox);
        let id = new_id();
        let snapshot = live.snapshot(&id, Reason::Fork).await?;
        let volume = NewVolume::CopyOf(live.clone(), id.clone());
        let runs = release.unwrap_or_else(|| dev.release());
        let mut plan = dev_plan(ChangeKind::Fork, runs, volume, by);
        plan.start = release.is_some();
        let done = self.change(workspace, &plan, |_| Watch::Same).await;
        if let Err(error) = live.remove_snapshot(&id).await {
            warn!(workspace = %workspace.name, %error, "a copy of live's volume that nobody needs is left");
        }
        let outcome = outcome(&plan, done?);
        let rehearsal = Rehearsal {
            snapshot: outcome.snapshot.clone(),
            frozen_ms: snapshot.frozen_ms,
        };
        Ok(ChangeOutcome {
            rehearsal: Some(rehearsal),
            ..outcome
        })
    }
}
