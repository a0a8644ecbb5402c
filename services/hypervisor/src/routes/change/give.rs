//! Releases for dev.

use super::common::{dev_plan, outcome};
use super::error::ChangeError;
use super::order::ChangeOutcome;
use super::run::NewVolume;
use crate::routes::route::Workspace;
use crate::routes::table::Routes;
use crate::store::{ChangeKind, Watch};
use std::sync::Arc;

impl Routes {
    /// Gives dev a release. One that is at rest has it when it is started.
    ///
    /// # Errors
    /// Whatever the error, dev has the release that it had.
    pub async fn give_release(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        release: u64,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let by = by.to_owned();
        let work = move |routes: Arc<Self>, workspace: Arc<Workspace>| async move {
            let workspace = &workspace;
            routes.has_release(workspace, release).await?;
            let plan = dev_plan(ChangeKind::Give, release, NewVolume::Same, by);
            let done = routes.change(workspace, &plan, |_| Watch::Same).await?;
            Ok(outcome(&plan, done))
        };
        self.whole(workspace, work).await
    }
}
