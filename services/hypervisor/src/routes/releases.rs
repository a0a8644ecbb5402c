//! Which releases a workspace has, and which of them its sandboxes run.

use super::change::{ChangeError, ChangeOutcome};
use super::route::Workspace;
use super::table::Routes;
use crate::runtime::Release;
use crate::store::{PinnedReleases, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::{info, warn};

/// What the store remembers of the configuration's command.
const COMMAND: &str = "runtime_command";

impl Routes {
    /// A workspace's releases, the oldest first.
    ///
    /// # Errors
    /// The runtime's.
    pub async fn releases(&self, workspace: &Workspace) -> Result<Vec<Release>, ChangeError> {
        Ok(self.runtime.releases(workspace.release_set()).await?)
    }

    /// Adds a release, and gives it to dev.
    ///
    /// # Errors
    /// The runtime's, or as for [`Routes::give_release`].
    pub async fn add_release(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        command: Vec<String>,
        env: BTreeMap<String, String>,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let added = self
            .runtime
            .add_release(workspace.release_set(), command, env, by);
        let release = added.await?;
        self.give_release(workspace, release.number, by).await
    }

    /// Finds out what sandboxes run of which the store does not know it, and gives dev the
    /// configuration's command where that is another than at the last start.
    pub(super) async fn settle_releases(&self) -> Result<(), StoreError> {
        let command = self.config.runtime.command.join("\u{1f}");
        let (key, new) = (self.command_key(), command.clone());
        let before = self
            .store
            .run(move |store| store.get_or_insert_meta(&key, &new))
            .await?;
        let is_new = before != command;
        let mut settled = Vec::new();
        for workspace in self.all() {
            settled.extend(self.found_out(&workspace, is_new).await);
        }
        self.store_releases(settled).await?;
        if is_new {
            let key = self.command_key();
            self.store
                .run(move |store| store.set_meta(&key, &command))
                .await?;
        }
        Ok(())
    }

    /// Each machine has a command of its own.
    fn command_key(&self) -> String {
        match self.config.machine() {
            "" => COMMAND.to_owned(),
            machine => format!("{COMMAND} of {machine}"),
        }
    }

    /// The same for a workspace that is new.
    pub(super) async fn settle_release(&self, workspace: &Workspace) -> Result<(), StoreError> {
        let settled = self.found_out(workspace, false).await;
        self.store_releases(settled.into_iter().collect()).await
    }

    /// All in one step of the store, however many there are.
    async fn store_releases(&self, settled: Vec<PinnedReleases>) -> Result<(), StoreError> {
        if settled.is_empty() {
            return Ok(());
        }
        let store = move |store: &dyn Store| store.set_releases(&settled);
        self.store.run(store).await
    }

    /// What a workspace's sandboxes run, if that was not known before.
    async fn found_out(&self, workspace: &Workspace, is_new: bool) -> Option<PinnedReleases> {
        let pair = workspace.pair();
        let (live, dev) = (&pair.live.sandbox, &pair.dev.sandbox);
        let known = live.release() != 0 && dev.release() != 0;
        if known && !is_new {
            return None;
        }
        let declared = match self.runtime.declared_release(workspace.release_set()).await {
            Ok(declared) => declared,
            Err(error) => {
                warn!(workspace = %workspace.name, %error, "its releases are not known");
                return None;
            }
        };
        // Something else runs them, and knows.
        if declared == 0 {
            return None;
        }
        for sandbox in [live, dev] {
            if sandbox.release() == 0 {
                // A slot's pin may be of whoever had it before.
                let pinned = match workspace.slot {
                    Some(_) => None,
                    None => self.runtime.pinned_release(sandbox).await.ok().flatten(),
                };
                sandbox.set_release(pinned.unwrap_or(declared));
            }
        }
        if is_new && declared > live.release().max(dev.release()) {
            info!(workspace = %workspace.name, release = declared, "dev has the configuration's new command");
            dev.set_release(declared);
        }
        Some(PinnedReleases {
            workspace: workspace.name.to_string(),
            live: live.release(),
            dev: dev.release(),
        })
    }
}
