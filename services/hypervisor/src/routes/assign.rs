//! Which workspace a user gets.

use super::error::ClaimError;
use super::members;
use super::route::Workspace;
use super::row::new_row;
use super::table::{Routes, Without};
use crate::auth::User;
use crate::config::DEFAULT_WORKSPACE;
use crate::role::Role;
use crate::store::{Store, StoreError, WorkspaceRow};
use std::collections::HashSet;
use std::sync::Arc;
use tracing::info;

impl Routes {
    /// The user's workspace; the first time, one is given to them.
    ///
    /// # Errors
    /// [`ClaimError::NoWorkspace`] or [`ClaimError::Retired`]; the store's.
    pub async fn workspace(&self, user: &User) -> Result<Arc<Workspace>, ClaimError> {
        if let Some(workspace) = self.of(user.id) {
            return Ok(workspace);
        }
        let _one = self.assign_lock.lock().await;
        if let Some(workspace) = self.of(user.id) {
            return Ok(workspace);
        }
        match self.without.get(&user.id).as_deref() {
            None => self.give(user).await,
            Some(Without::TakenOut) => Err(no_workspace(user)),
            Some(Without::Retired(workspace)) => Err(ClaimError::Retired {
                workspace: workspace.to_string(),
            }),
        }
    }

    /// Their declared workspace, else a declared one that is nobody's, else a new one.
    async fn give(&self, user: &User) -> Result<Arc<Workspace>, ClaimError> {
        let declared = &self.config.workspaces;
        let theirs = members::names(declared, &user.username);
        let nobodys = || {
            let owned: HashSet<_> = self
                .by_user
                .iter()
                .map(|entry| entry.workspace.name.clone())
                .collect();
            let default = declared.get_key_value(DEFAULT_WORKSPACE);
            let in_order = default.into_iter().chain(declared.iter());
            let free = in_order.filter(|(name, workspace)| {
                workspace.members.is_empty() && !owned.contains(name.as_str())
            });
            free.map(|(name, _)| name).next()
        };
        let name = match theirs.or_else(nobodys) {
            Some(name) => {
                let name = name.clone();
                let (workspace, id) = (name.clone(), user.id);
                self.store
                    .run(move |store| store.add_member(&workspace, id))
                    .await?;
                name
            }
            None if self.runtime.can_create() => {
                let name = self.free_name(&user.username);
                self.create(vec![new_row(&name, vec![user.id])]).await?;
                name
            }
            None => return Err(no_workspace(user)),
        };
        info!(workspace = %name, user = %user.username, "given");
        let workspace = self.named(&name).ok_or_else(|| no_workspace(user))?;
        self.add(user.id, &workspace);
        Ok(workspace)
    }

    /// A workspace name made of the username's letters and digits.
    fn free_name(&self, username: &str) -> String {
        let local = username.split('@').next().unwrap_or_default();
        let mut stem: String = local
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(24)
            .collect::<String>()
            .to_ascii_lowercase();
        if !stem.starts_with(|first: char| first.is_ascii_lowercase()) {
            stem.insert(0, 'w');
        }
        let mut names = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
        names
            .find(|name| !self.by_name.contains_key(name.as_str()) && self.has_free_hosts(name))
            .unwrap_or(stem)
    }

    /// Whether neither sandbox would be at a host of the gateway.
    fn has_free_hosts(&self, name: &str) -> bool {
        [Role::Live, Role::Dev]
            .iter()
            .all(|&role| !self.hosts.is_taken(&self.config.sandbox_host(name, role)))
    }

    /// Stores new workspaces, all or none, and publishes them.
    async fn create(&self, rows: Vec<WorkspaceRow>) -> Result<(), StoreError> {
        let work = move |store: &dyn Store| store.create_workspaces(&rows).map(|()| rows);
        let rows = self.store.run(work).await?;
        for row in rows {
            self.publish(&row)?;
            if let Some(workspace) = self.named(&row.name) {
                self.settle_release(&workspace).await?;
            }
        }
        Ok(())
    }
}

fn no_workspace(user: &User) -> ClaimError {
    ClaimError::NoWorkspace {
        username: user.username.clone(),
    }
}
