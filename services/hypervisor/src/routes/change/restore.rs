//! Restores of a volume.

use super::common::{dev_plan, expect, outcome};
use super::error::ChangeError;
use super::order::{ChangeOutcome, RestoreOrder};
use super::run::{NewVolume, Plan, may_start};
use crate::role::Role;
use crate::routes::route::Workspace;
use crate::routes::table::Routes;
use crate::store::{ChangeKind, Watch};
use std::sync::Arc;

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
        let (routes, of) = (self.clone(), workspace.clone());
        let work = async move {
            let workspace = &of;
            expect(workspace, order.expect_generation)?;
            let role = order.role;
            let id = routes
                .kept(workspace, role, order.snapshot.as_str())
                .await?;
            may_start(workspace, role)?;
            let sandbox = workspace.pair().route(role).sandbox.clone();
            if order.rehearse && role == Role::Live {
                let copy = NewVolume::CopyOf(sandbox.clone(), id.clone());
                let mut plan = dev_plan(ChangeKind::Restore, sandbox.release(), copy, by.clone());
                plan.start = true;
                let tried = routes.change(workspace, &plan, |_| Watch::Same).await;
                tried.map_err(|error| match error {
                    ChangeError::TakenBack { cause, .. } => ChangeError::RehearsalFailed { cause },
                    error => error,
                })?;
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
}
