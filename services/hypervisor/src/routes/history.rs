//! What people see of a workspace: its releases, its snapshots and what was done to it.

use super::change::{ChangeError, undoable};
use super::route::Workspace;
use super::table::Routes;
use crate::role::Role;
use crate::runtime::{Release, Snapshot};
use crate::store::ChangeRow;
use serde::Serialize;

/// How many changes are told.
const MOST: usize = 50;

/// A workspace, as its owner and the operator see it.
#[derive(Debug, Serialize)]
pub struct WorkspaceView {
    /// Its name.
    pub workspace: String,
    /// Its generation.
    pub generation: u64,
    /// Its releases, the oldest first.
    pub releases: Vec<Release>,
    /// What live runs.
    pub live_release: u64,
    /// What dev runs.
    pub dev_release: u64,
    /// The snapshots of both volumes.
    pub snapshots: Snapshots,
    /// Its last changes, the newest first.
    pub history: Vec<ChangeRow>,
    /// The promotion that can be undone.
    pub undo: Option<Undoable>,
    /// How many requests may have written to live since the last fork or swap.
    pub writes: u64,
}

/// What an undo would take back.
#[derive(Debug, Serialize)]
pub struct Undoable {
    /// The promotion, by its number in the history.
    pub change: i64,
    /// The release that live would get back.
    pub release: u64,
    /// How many requests may have written to live since.
    pub writes: u64,
    /// Whether the data from before are kept.
    pub has_data: bool,
}

/// The snapshots of both volumes, the oldest first.
#[derive(Debug, Serialize)]
pub struct Snapshots {
    /// Of live's.
    pub live: Vec<Snapshot>,
    /// Of dev's.
    pub dev: Vec<Snapshot>,
}

impl Routes {
    /// All that there is to tell of a workspace.
    ///
    /// # Errors
    /// The runtime's and the store's.
    pub async fn view(&self, workspace: &Workspace) -> Result<WorkspaceView, ChangeError> {
        let pair = workspace.pair();
        let name = workspace.name.to_string();
        let history = self
            .store
            .run(move |store| store.changes(&name, MOST))
            .await?;
        let of = async |role: Role| pair.route(role).sandbox.snapshots().await;
        // Where something else runs the sandboxes there are neither releases nor volumes.
        let releases = self
            .runtime
            .releases(&workspace.name)
            .await
            .unwrap_or_default();
        let kept = of(Role::Live).await.unwrap_or_default();
        let undo = undoable(&history, pair.live.sandbox.name()).map(|promotion| Undoable {
            change: promotion.id,
            release: promotion.from_release,
            writes: workspace.writes.count().saturating_sub(promotion.writes),
            has_data: kept
                .iter()
                .any(|it| promotion.snapshot.as_deref() == Some(it.id.as_str())),
        });
        Ok(WorkspaceView {
            workspace: workspace.name.to_string(),
            generation: pair.generation(),
            releases,
            live_release: pair.live.sandbox.release(),
            dev_release: pair.dev.sandbox.release(),
            snapshots: Snapshots {
                live: kept,
                dev: of(Role::Dev).await.unwrap_or_default(),
            },
            history,
            undo,
            writes: workspace.writes.since_shared(),
        })
    }
}
