//! Snapshots that people ask for.

use super::change::{ChangeError, new_id};
use super::route::Workspace;
use super::table::Routes;
use crate::role::Role;
use crate::runtime::{Reason, Snapshot};
use std::sync::Arc;

impl Routes {
    /// Copies a role's volume as of one moment, while it is in use.
    ///
    /// # Errors
    /// Another change is at work, or the runtime's.
    pub async fn snapshot(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        role: Role,
    ) -> Result<Snapshot, ChangeError> {
        let sandbox = workspace.pair().route(role).sandbox.clone();
        let work = async move {
            let taken = sandbox.snapshot(&new_id(), Reason::Asked).await?;
            Ok(taken)
        };
        self.whole(workspace, work).await
    }
}
