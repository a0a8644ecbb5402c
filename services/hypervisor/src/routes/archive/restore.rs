//! An archive becomes a workspace again.

use super::error::ArchiveError;
use super::id_of;
use super::put_away::rest_and_archive;
use crate::routes::fail_point::fail_point;
use crate::routes::insist::{SOON, until_done};
use crate::routes::table::{Routes, Without};
use crate::runtime::{RuntimeError, Sandbox, SnapshotId};
use crate::sandbox_name;
use crate::store::{Conflict, Revival, Store, StoreError, WorkspaceRow};
use serde::Serialize;
use std::sync::{Arc, PoisonError};
use tracing::{info, warn};

/// So many names are tried that the store may have.
const MOST_NAMES: usize = 100;

/// A workspace that is back.
#[derive(Debug, Clone, Serialize)]
pub struct Restored {
    /// What it is called.
    pub workspace: String,
}

impl Routes {
    /// Makes a workspace of an archive for this user, with all that was written in it.
    ///
    /// # Errors
    /// Whatever the error, the archive is what it was.
    pub async fn restore_archive(
        self: &Arc<Self>,
        id: &str,
        username: &str,
        by: &str,
    ) -> Result<Restored, ArchiveError> {
        let (routes, id) = (self.clone(), id.to_owned());
        let (username, by) = (username.to_owned(), by.to_owned());
        // Whoever hangs up on it stops nothing.
        tokio::spawn(async move { routes.restore_whole(&id, &username, &by).await })
            .await
            .unwrap_or(Err(ArchiveError::Interrupted))
    }

    async fn restore_whole(
        self: &Arc<Self>,
        id: &str,
        username: &str,
        by: &str,
    ) -> Result<Restored, ArchiveError> {
        let no_archive = || ArchiveError::NoArchive { id: id.to_owned() };
        let kept = self.archive_row(id).await?.ok_or_else(no_archive)?;
        let room = self.room().ok_or(ArchiveError::NoWorkspaces)?;
        let slots = self.config.slots.count();
        let name = username.to_owned();
        let user = self
            .store
            .run(move |store| store.user_by_name(&name))
            .await?;
        let user = user.ok_or_else(|| ArchiveError::NoUser {
            username: username.to_owned(),
        })?;
        let revival = Revival {
            id: id.to_owned(),
            user: user.id,
            names: self
                .names_like(kept.workspace.clone())
                .take(MOST_NAMES)
                .collect(),
            room,
        };
        let routes = self.clone();
        let work = move |store: &dyn Store| {
            let one = &routes.placing;
            let _one = one.lock().unwrap_or_else(PoisonError::into_inner);
            let row = store.restore_archive(&revival)?;
            routes.await_data(&row);
            Ok::<_, StoreError>(row)
        };
        let row = self.store.run(work).await.map_err(|error| match error {
            StoreError::Conflict(Conflict::Archive) => no_archive(),
            StoreError::Conflict(Conflict::NoSlot) => ArchiveError::NoSlot { slots },
            StoreError::Conflict(Conflict::Workspace) => ArchiveError::Name {
                workspace: kept.workspace.clone(),
            },
            error => error.into(),
        })?;
        fail_point("restore_stored");
        let workspace = row.name.clone();
        self.bring_back(id, row).await?;
        info!(archive = id, workspace, user = username, by, "restored");
        Ok(Restored { workspace })
    }

    /// Remembers that somebody's workspace is on its way.
    pub(super) fn await_data(&self, row: &WorkspaceRow) {
        for user in &row.members {
            if self.of(*user).is_none() {
                let name = row.name.as_str().into();
                self.without.insert(*user, Without::Awaited(name));
            }
        }
    }

    /// Brings the data of an archive to their workspace, and serves that; else puts them back where
    /// they were.
    pub(super) async fn bring_back(
        self: &Arc<Self>,
        archive: &str,
        row: WorkspaceRow,
    ) -> Result<(), ArchiveError> {
        let id = id_of(archive)?;
        let sandboxes = self.sandboxes(&row)?;
        for sandbox in &sandboxes {
            if let Err(failed) = fetch(sandbox, &id).await {
                warn!(archive, workspace = row.name, error = %failed, "cannot be restored, and stays what it was");
                self.keep_archived(archive, &id, &row, &sandboxes).await;
                return Err(failed.into());
            }
            fail_point(&format!("restore_brought_{}", sandbox.born()));
        }
        let known = self.known_release(&row).await;
        let done = archive.to_owned();
        self.store.run(move |store| store.restored(&done)).await?;
        fail_point("restore_restored");
        self.serve_restored(row, known).await?;
        let (routes, archive) = (self.clone(), archive.to_owned());
        tokio::spawn(async move { routes.remove_rest(&archive).await });
        Ok(())
    }

    /// What the two ran, as far as there still is such a release.
    async fn known_release(&self, row: &WorkspaceRow) -> [u64; 2] {
        let set = sandbox_name::release_set(&row.name, row.slot);
        let Ok(known) = self.runtime.releases(set).await else {
            return [0; 2];
        };
        [row.live_release, row.dev_release].map(|release| {
            let is_known = known.iter().any(|it| it.number == release);
            if is_known { release } else { 0 }
        })
    }

    async fn serve_restored(
        self: &Arc<Self>,
        mut row: WorkspaceRow,
        [live, dev]: [u64; 2],
    ) -> Result<(), StoreError> {
        row.archive = None;
        (row.live_release, row.dev_release) = (live, dev);
        let routes = self.clone();
        let work = move |store: &dyn Store| {
            let one = &routes.placing;
            let _one = one.lock().unwrap_or_else(PoisonError::into_inner);
            // Who joined it, or left, since it was made.
            let rows = store.workspaces()?;
            let Some(now) = rows.into_iter().find(|it| it.name == row.name) else {
                return Ok(None);
            };
            row.members = now.members;
            routes.publish(&row)?;
            for (user, name) in store.chosen()? {
                if name == row.name
                    && let Some(workspace) = routes.named(&name)
                {
                    routes.lead_to(user, &workspace);
                }
            }
            Ok::<_, StoreError>(routes.named(&row.name))
        };
        if let Some(workspace) = self.store.run(work).await? {
            self.settle_release(&workspace).await?;
        }
        Ok(())
    }

    async fn keep_archived(
        self: &Arc<Self>,
        archive: &str,
        id: &SnapshotId,
        row: &WorkspaceRow,
        sandboxes: &[Arc<Sandbox>; 2],
    ) {
        for sandbox in sandboxes {
            let failed = "what was restored by half cannot be archived again yet";
            let again = || rest_and_archive(sandbox, id);
            until_done(SOON, sandbox.name(), failed, again).await;
        }
        for sandbox in sandboxes {
            self.runtime.forget(sandbox).await;
        }
        for user in &row.members {
            self.without.remove_if(
                user,
                |_, why| matches!(why, Without::Awaited(name) if **name == *row.name),
            );
        }
        let failed = "cannot note that an archive was not restored";
        let note = || {
            let archive = archive.to_owned();
            self.store.run(move |store| store.not_restored(&archive))
        };
        until_done(SOON, archive, failed, note).await;
    }
}

/// What the host has started of it by itself is stopped first.
async fn fetch(sandbox: &Sandbox, id: &SnapshotId) -> Result<(), RuntimeError> {
    sandbox.stop().await?;
    sandbox.unarchive(id).await?;
    Ok(())
}
