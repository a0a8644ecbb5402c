//! Archives are deleted: by order, by rule, and after they were restored.

use super::error::ArchiveError;
use super::{BORN, id_of};
use crate::auth::Auth;
use crate::config;
use crate::routes::fail_point::fail_point;
use crate::routes::insist::{LATER, until_done};
use crate::routes::table::Routes;
use crate::runtime::Spec;
use crate::sandbox_name;
use crate::store::{ArchiveRow, ArchiveState, Conflict, StoreError};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tracing::{info, warn};

/// How often it is looked for what is to be deleted.
const EVERY: Duration = Duration::from_mins(10);

impl Routes {
    /// Deletes an archive, with all that was written in it.
    ///
    /// # Errors
    /// [`ArchiveError::NoArchive`], or the store's. What of its data cannot be removed at once is
    /// removed in time.
    pub async fn delete_archive(self: &Arc<Self>, id: &str, by: &str) -> Result<(), ArchiveError> {
        if self.archive_row(id).await?.is_none() {
            return Err(ArchiveError::NoArchive { id: id.to_owned() });
        }
        let wanted = id.to_owned();
        let marked = self.store.run(move |store| store.delete_archive(&wanted));
        let row = marked.await.map_err(|error| match error {
            StoreError::Conflict(Conflict::Archive) => {
                ArchiveError::NoArchive { id: id.to_owned() }
            }
            error => error.into(),
        })?;
        info!(
            archive = id,
            workspace = row.workspace,
            by,
            "an archive is deleted"
        );
        fail_point("deletion_stored");
        let routes = self.clone();
        let id = id.to_owned();
        let removed = tokio::spawn(async move { routes.remove_rest(&id).await });
        // A large one takes its time.
        let _ = tokio::time::timeout(Duration::from_secs(10), removed).await;
        Ok(())
    }

    /// Deletes what is to be deleted by rule, now and from time to time.
    pub fn delete_archives_in_time(self: &Arc<Self>, auth: &Arc<Auth>) {
        let (routes, auth) = (Arc::downgrade(self), Arc::downgrade(auth));
        let end = self.end.clone();
        tokio::spawn(async move {
            loop {
                let (Some(routes), Some(auth)) = (Weak::upgrade(&routes), Weak::upgrade(&auth))
                else {
                    return;
                };
                if let Err(error) = routes.delete_due(&auth).await {
                    warn!(%error, "archives that are due are not deleted; trying again");
                }
                drop((routes, auth));
                let pause = tokio::time::sleep(EVERY);
                if end.run_until_cancelled(pause).await.is_none() {
                    return;
                }
            }
        });
    }

    /// A clock that is ahead for a while deletes nothing.
    async fn delete_due(self: &Arc<Self>, auth: &Auth) -> Result<(), ArchiveError> {
        let past = auth.past();
        let rows = self.archive_rows().await?;
        let is_due = |row: &&ArchiveRow| {
            row.state == ArchiveState::Kept && row.delete_at.is_some_and(|at| at < past)
        };
        for row in rows.iter().filter(is_due) {
            self.delete_archive(&row.id, "rule").await?;
        }
        Ok(())
    }

    /// Removes what is left of an archive that is none any longer, however long that takes.
    pub(super) async fn remove_rest(&self, id: &str) {
        let failed = "what is left of an archive cannot be removed yet";
        until_done(LATER, id, failed, || self.try_remove_rest(id)).await;
    }

    async fn try_remove_rest(&self, id: &str) -> Result<(), ArchiveError> {
        let Some(row) = self.archive_row(id).await? else {
            return Ok(());
        };
        let snapshot = id_of(id)?;
        for spec in self.specs(&row) {
            self.runtime.discard_archive(spec, &snapshot).await?;
        }
        fail_point("deletion_removed");
        let id = id.to_owned();
        self.store
            .run(move |store| store.archive_deleted(&id))
            .await?;
        Ok(())
    }

    /// The sandboxes that it was of, whosever they are now: their backups are beside others'.
    fn specs(&self, row: &ArchiveRow) -> Vec<Spec> {
        // A slot that the host has no longer has nothing that could be asked; any other serves.
        let most = self.config.slots.count();
        let slot = row.slot.map(|slot| slot.min(most.max(1)));
        let spec = |born| Spec {
            name: sandbox_name::of(&row.workspace, slot, born),
            workspace: row.workspace.clone(),
            slot,
            instance_role: born,
            declared: config::Sandbox::default(),
        };
        BORN.map(spec).to_vec()
    }
}
