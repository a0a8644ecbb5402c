//! A workspace's data, on the way to their archive.

use super::{PAUSE, id_of};
use crate::routes::fail_point::fail_point;
use crate::routes::table::Routes;
use crate::runtime::{RuntimeError, Sandbox, SnapshotId};
use crate::store::{ArchiveRow, StoreError};
use std::sync::Arc;
use tracing::{error, info};

impl Routes {
    /// Puts both volumes of a workspace away, and frees its slot: however long that takes, for nobody
    /// else may have it before.
    pub(super) async fn put_away(self: &Arc<Self>, row: ArchiveRow) {
        loop {
            match self.try_put_away(&row).await {
                Ok(bytes) => {
                    return info!(
                        archive = row.id,
                        workspace = row.workspace,
                        bytes,
                        "archived"
                    );
                }
                Err(failed @ PutAwayError::Nothing(_)) => {
                    return error!(archive = row.id, error = %failed, "there is nothing left to archive");
                }
                Err(failed) => {
                    error!(archive = row.id, workspace = row.workspace, error = %failed, "a removed workspace cannot be archived yet; trying again");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn try_put_away(self: &Arc<Self>, row: &ArchiveRow) -> Result<u64, PutAwayError> {
        let id = id_of(&row.id)?;
        let name = row.workspace.clone();
        let rows = self.store.run(|store| store.workspaces()).await?;
        let of = rows
            .into_iter()
            .find(|it| it.archive.as_ref() == Some(&row.id));
        let Some(of) = of else {
            return Err(PutAwayError::Nothing(name));
        };
        let sandboxes = self.sandboxes(&of)?;
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
        Ok(bytes)
    }
}

/// Something else may have started it meanwhile.
pub(super) async fn rest_and_archive(
    sandbox: &Sandbox,
    id: &SnapshotId,
) -> Result<u64, RuntimeError> {
    sandbox.stop().await?;
    Ok(sandbox.archive(id).await?.bytes)
}

/// What stands in the way.
#[derive(Debug, thiserror::Error)]
enum PutAwayError {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no workspace {0} in the store any longer")]
    Nothing(String),
}
