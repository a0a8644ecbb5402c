//! What all orders have in common.

use super::error::ChangeError;
use super::order::ChangeOutcome;
use super::run::{Done, NewVolume, Plan};
use crate::role::Role;
use crate::routes::route::Workspace;
use crate::routes::swap::Undo;
use crate::routes::table::Routes;
use crate::runtime::SnapshotId;
use crate::store::ChangeKind;
use std::sync::Arc;

impl Routes {
    /// Does one order whole, whoever hangs up on it, and no other of the workspace meanwhile.
    pub(in crate::routes) async fn whole<T, F>(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        work: impl FnOnce(Arc<Self>, Arc<Workspace>) -> F,
    ) -> Result<T, ChangeError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ChangeError>> + Send + 'static,
    {
        let changing = workspace.changing.clone().try_lock_owned();
        let only = changing.map_err(|_| ChangeError::InProgress)?;
        let work = work(self.clone(), workspace.clone());
        let (routes, workspace) = (self.clone(), workspace.clone());
        let task = tokio::spawn(async move {
            let _only = only;
            let done = work.await;
            // What is at another machine now is not this one's to look after.
            if !workspace.gone.is_cancelled() {
                tokio::spawn(async move { routes.prune_snapshots(&workspace).await });
            }
            done
        });
        task.await.unwrap_or(Err(ChangeError::Interrupted))
    }

    pub(super) async fn has_release(
        &self,
        workspace: &Workspace,
        release: u64,
    ) -> Result<(), ChangeError> {
        let releases = self.releases(workspace).await?;
        if releases.iter().any(|it| it.number == release) {
            return Ok(());
        }
        let workspace = workspace.name.to_string();
        Err(ChangeError::NoRelease { workspace, release })
    }

    /// The snapshot of this name of a role's volume.
    pub(super) async fn kept(
        &self,
        workspace: &Workspace,
        role: Role,
        snapshot: &str,
    ) -> Result<SnapshotId, ChangeError> {
        let sandbox = workspace.pair().route(role).sandbox.clone();
        let kept = sandbox.snapshots().await?;
        let found = kept.into_iter().find(|it| it.id.as_str() == snapshot);
        found
            .map(|it| it.id)
            .ok_or_else(|| ChangeError::NoSnapshot {
                workspace: workspace.name.to_string(),
                sandbox: sandbox.name().to_owned(),
                snapshot: snapshot.to_owned(),
            })
    }
}

pub(super) fn expect(workspace: &Workspace, expected: Option<u64>) -> Result<(), ChangeError> {
    let current = workspace.pair().generation();
    match expected.filter(|&it| it != current) {
        Some(expected) => Err(ChangeError::StaleGeneration { expected, current }),
        None => Ok(()),
    }
}

pub(super) fn dev_plan(kind: ChangeKind, release: u64, volume: NewVolume, by: String) -> Plan {
    Plan {
        kind,
        role: Role::Dev,
        release,
        volume,
        start: false,
        by,
        undoes: None,
    }
}

pub(super) fn outcome(plan: &Plan, done: Done) -> ChangeOutcome {
    let generation = done.row.generation;
    ChangeOutcome {
        workspace: done.row.name,
        kind: plan.kind,
        generation,
        live: done.row.live,
        dev: done.row.dev,
        release: plan.release,
        from_release: done.from_release,
        snapshot: done.snapshot,
        held_ms: done.held_ms,
        held_requests: done.held_requests,
        rehearsal: None,
        lost_writes: None,
        undo: Undo {
            expect_generation: generation,
        },
        probation: None,
    }
}
