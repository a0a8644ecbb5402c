//! Restores of a volume.

use super::back::new_id;
use super::common::{dev_plan, expect, outcome};
use super::error::ChangeError;
use super::order::{ChangeOutcome, RestoreOrder};
use super::run::{NewVolume, Plan, may_start};
use crate::role::Role;
use crate::routes::route::Workspace;
use crate::routes::table::Routes;
use crate::runtime::SnapshotId;
use crate::store::{ChangeKind, Watch};
use std::sync::Arc;
use tracing::debug;

impl Routes {
    /// Makes a role's volume what a snapshot of it has.
    ///
    /// # Errors
    /// Whatever the error, it has the data that it had.
    pub async fn restore(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: RestoreOrder,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let by = by.to_owned();
        let work = move |routes: Arc<Self>, workspace: Arc<Workspace>| async move {
            let workspace = &workspace;
            expect(workspace, order.expect_generation)?;
            let role = order.role;
            may_start(workspace, role)?;
            let id = routes
                .kept_or_imported(workspace, role, &order.snapshot)
                .await?;
            let sandbox = workspace.pair().route(role).sandbox.clone();
            if order.rehearse && role == Role::Live {
                let copy = NewVolume::CopyOf(sandbox.clone(), id.clone());
                let mut plan = dev_plan(ChangeKind::Restore, sandbox.release(), copy, by.clone());
                plan.start = true;
                let tried = routes.change(workspace, &plan, |_| Watch::Same).await;
                tried.map_err(ChangeError::of_rehearsal)?;
            }
            let plan = Plan {
                kind: ChangeKind::Restore,
                role,
                release: sandbox.release(),
                volume: NewVolume::CopyOf(sandbox, id),
                start: true,
                by,
                undoes: None,
            };
            let watch = match role {
                Role::Live => Watch::None,
                Role::Dev => Watch::Same,
            };
            let done = routes.change(workspace, &plan, |_| watch).await?;
            Ok(outcome(&plan, done))
        };
        self.whole(workspace, work).await
    }

    /// The snapshot of that id of a role's volume, or its backup, which becomes a snapshot.
    async fn kept_or_imported(
        &self,
        workspace: &Workspace,
        role: Role,
        id: &SnapshotId,
    ) -> Result<SnapshotId, ChangeError> {
        let kept = self.kept(workspace, role, id.as_str()).await;
        let Err(ChangeError::NoSnapshot { .. }) = kept else {
            return kept;
        };
        let sandbox = workspace.pair().route(role).sandbox.clone();
        let backups = match sandbox.backups().await {
            Ok(backups) => backups,
            Err(error) => {
                debug!(sandbox = sandbox.name(), %error, "no backups");
                return kept;
            }
        };
        if !backups.iter().any(|backup| backup.id == *id) {
            return kept;
        }
        Ok(sandbox.import_backup(id, &new_id()).await?.id)
    }
}
