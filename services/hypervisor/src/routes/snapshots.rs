//! Snapshots and backups that people ask for.

use super::change::{ChangeError, new_id};
use super::route::Workspace;
use super::table::Routes;
use crate::config::RuntimeKind;
use crate::role::Role;
use crate::runtime::{Backup, Reason, RuntimeError, Snapshot, SnapshotId};
use crate::store::{ChangeOutcome, ChangeRow};
use serde::Serialize;
use std::sync::Arc;
use tracing::warn;

/// How many promotions can have their snapshot put back, whatever the rule.
const HELD: usize = 3;

/// The backups of both volumes, the oldest first.
#[derive(Debug, Serialize)]
pub struct WorkspaceBackups {
    /// Of live's.
    pub live: Vec<Backup>,
    /// Of dev's.
    pub dev: Vec<Backup>,
}

impl Routes {
    /// Mends, in the background, what copies have left that were broken off, such as by a power
    /// cut. With `process` each volume is mended before it is used.
    pub(super) fn recover_volumes(self: &Arc<Self>) {
        if self.config.runtime.kind != RuntimeKind::Systemd {
            return;
        }
        let workspaces = self.all();
        tokio::spawn(async move {
            for workspace in workspaces {
                // A change that is at work, or taken back, does so itself.
                let changing = workspace
                    .gone
                    .run_until_cancelled(workspace.changing.lock());
                let Some(_only) = changing.await else {
                    continue;
                };
                for route in workspace.pair().both() {
                    let sandbox = &route.sandbox;
                    if let Err(error) = sandbox.recover_volume().await {
                        warn!(sandbox = sandbox.name(), %error, "what a copy has left is not mended");
                    }
                }
            }
        });
    }

    /// Removes the snapshots that no rule keeps, and that no undo needs.
    pub(super) async fn prune_snapshots(&self, workspace: &Workspace) {
        let name = workspace.name.to_string();
        let rows = self
            .store
            .run(move |store| store.changes(&name, usize::MAX));
        let rows = match rows.await {
            Ok(rows) => rows,
            Err(error) => return warn!(%error, "snapshots are not pruned"),
        };
        let is_needed = |row: &&ChangeRow| row.outcome != Some(ChangeOutcome::TakenBack);
        let needed = rows
            .iter()
            .filter(is_needed)
            .filter_map(|row| row.snapshot.as_deref());
        let held: Vec<SnapshotId> = needed.filter_map(|id| id.parse().ok()).take(HELD).collect();
        for route in workspace.pair().both() {
            let sandbox = &route.sandbox;
            match sandbox.prune_snapshots(&held).await {
                Ok(_) | Err(RuntimeError::Unsupported(_)) => {}
                Err(error) => warn!(sandbox = sandbox.name(), %error, "snapshots are not pruned"),
            }
        }
    }

    /// Makes a backup of a role's volume, while it is in use.
    ///
    /// # Errors
    /// The runtime's.
    pub async fn back_up(&self, workspace: &Workspace, role: Role) -> Result<Backup, RuntimeError> {
        let sandbox = workspace.pair().route(role).sandbox.clone();
        sandbox.back_up(&new_id()).await
    }

    /// The backups of both volumes, the oldest first.
    ///
    /// # Errors
    /// The runtime's.
    pub async fn backups(&self, workspace: &Workspace) -> Result<WorkspaceBackups, RuntimeError> {
        let pair = workspace.pair();
        Ok(WorkspaceBackups {
            live: pair.live.sandbox.backups().await?,
            dev: pair.dev.sandbox.backups().await?,
        })
    }

    /// Copies a role's volume as of one moment, while it is in use.
    ///
    /// # Errors
    /// Another change is at work, or the runtime's.
    pub async fn snapshot(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        role: Role,
    ) -> Result<Snapshot, ChangeError> {
        let work = move |_, workspace: Arc<Workspace>| async move {
            let sandbox = workspace.pair().route(role).sandbox.clone();
            let taken = sandbox.snapshot(&new_id(), Reason::Asked).await?;
            Ok(taken)
        };
        self.whole(workspace, work).await
    }
}
