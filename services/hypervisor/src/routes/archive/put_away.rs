//! A workspace's data, on the way to their archive.

use super::error::ArchiveError;
use super::id_of;
use crate::routes::fail_point::fail_point;
use crate::routes::insist::{LATER, until_done};
use crate::routes::table::Routes;
use crate::runtime::{RuntimeError, Sandbox, SnapshotId};
use crate::store::{ArchiveRow, StoreError, WorkspaceRow};
use tracing::{error, info};

impl Routes {
    /// Puts both volumes of a workspace away, and frees its slot: however long that takes, for nobody
    /// else may have it before.
    pub(super) async fn put_away(&self, row: ArchiveRow) {
        let (archive, workspace) = (&row.id, &row.workspace);
        let put_away = || self.try_put_away(&row);
        let failed = "a removed workspace cannot be archived yet";
        if let Some(bytes) = until_done(LATER, archive, failed, put_away).await {
            info!(archive, workspace, bytes, "archived");
        } else {
            error!(archive, workspace, "there is nothing left to archive");
        }
    }

    /// With how many bytes there are; none if there is no such workspace any longer.
    async fn try_put_away(&self, row: &ArchiveRow) -> Result<Option<u64>, ArchiveError> {
        let id = id_of(&row.id)?;
        let Some(workspace) = self.on_its_way(&row.id).await? else {
            return Ok(None);
        };
        let sandboxes = self.sandboxes(&workspace)?;
        let mut bytes = 0;
        for sandbox in &sandboxes {
            sandbox.set_reserved(true);
            sandbox.stop().await?;
        }
        fail_point("removal_stopped");
        for sandbox in &sandboxes {
            bytes += rest_and_archive(sandbox, &id).await?;
            fail_point(&format!("removal_archived_{}", sandbox.born()));
        }
        for sandbox in &sandboxes {
            self.runtime.forget(sandbox).await;
        }
        let id = row.id.clone();
        self.store
            .run(move |store| store.archived(&id, bytes))
            .await?;
        fail_point("removal_archived");
        Ok(Some(bytes))
    }

    /// The workspace whose data go into this archive.
    async fn on_its_way(&self, archive: &str) -> Result<Option<WorkspaceRow>, StoreError> {
        let rows = self.store.run(|store| store.workspaces()).await?;
        let mut rows = rows.into_iter();
        Ok(rows.find(|row| row.archive.as_deref() == Some(archive)))
    }
}

/// Something else may have started it meanwhile.
pub(in crate::routes) async fn rest_and_archive(
    sandbox: &Sandbox,
    id: &SnapshotId,
) -> Result<u64, RuntimeError> {
    sandbox.stop().await?;
    Ok(sandbox.archive(id).await?.bytes)
}
