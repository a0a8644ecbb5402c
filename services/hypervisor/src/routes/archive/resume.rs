//! What was broken off is finished, whatever ended the program before.

use crate::routes::table::Routes;
use crate::store::{ArchiveRow, ArchiveState, StoreError, WorkspaceRow};
use std::sync::Arc;
use tracing::{error, info};

impl Routes {
    /// Goes on with archives that are on their way, in the background. `rows` are their workspaces,
    /// which are served to nobody.
    pub(in crate::routes) async fn resume_archives(
        self: &Arc<Self>,
        rows: Vec<WorkspaceRow>,
    ) -> Result<(), StoreError> {
        for archive in self.archive_rows().await? {
            if archive.state == ArchiveState::Kept {
                continue;
            }
            let of = rows
                .iter()
                .find(|it| it.archive.as_ref() == Some(&archive.id));
            let of = of.cloned();
            if archive.state == ArchiveState::Restoring
                && let Some(row) = &of
            {
                self.await_data(row);
            }
            info!(archive = archive.id, workspace = archive.workspace, state = ?archive.state, "going on with an archive");
            let routes = self.clone();
            tokio::spawn(async move { routes.resume(archive, of).await });
        }
        Ok(())
    }

    async fn resume(self: &Arc<Self>, archive: ArchiveRow, of: Option<WorkspaceRow>) {
        match archive.state {
            ArchiveState::Kept => {}
            ArchiveState::Making => self.put_away(archive).await,
            ArchiveState::Deleting => self.remove_rest(&archive.id).await,
            ArchiveState::Restoring => {
                let Some(row) = of else { return };
                if let Err(failed) = self.bring_back(&archive.id, row).await {
                    error!(archive = archive.id, error = %failed, "is not restored");
                }
            }
        }
    }
}
