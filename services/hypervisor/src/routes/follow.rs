//! What other gateways change of workspaces and people, taken over into memory.

use super::elsewhere::Elsewhere;
use super::route::Workspace;
use super::table::{Routes, Without};
use crate::store::{Changed, Store, StoreError, WorkspaceRow};
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use tracing::{info, warn};
use uuid::Uuid;

impl Routes {
    /// The workspace of another machine that this user is led to, and whose home their own requests are
    /// for.
    pub fn led_elsewhere(&self, user: Uuid) -> Option<Arc<Elsewhere>> {
        if let Some(chosen) = self.others.chosen(user) {
            return Some(chosen);
        }
        if self.by_user.contains_key(&user) {
            return None;
        }
        self.others.of(user).first().cloned()
    }

    /// All workspaces of this user that other machines have.
    pub fn workspaces_elsewhere(&self, user: Uuid) -> Vec<Arc<Elsewhere>> {
        self.others.of(user)
    }

    /// All workspaces that other machines have, by name.
    pub fn all_elsewhere(&self) -> Vec<Arc<Elsewhere>> {
        self.others.all()
    }

    /// Looks once more at what has changed. Blocks.
    ///
    /// # Errors
    /// The store's.
    pub fn follow(
        self: &Arc<Self>,
        store: &dyn Store,
        changed: &Changed,
    ) -> Result<(), StoreError> {
        match changed {
            Changed::Workspace(name) => {
                if let Some(row) = store.move_of(name)? {
                    self.put_away_after(row);
                }
                self.follow_workspace(store, name)
            }
            Changed::User(user) => self.follow_user(store, *user),
            Changed::Session(_) | Changed::Token(_) => Ok(()),
        }
    }

    /// The same if anything may have changed.
    ///
    /// # Errors
    /// The store's.
    pub fn follow_all(self: &Arc<Self>, store: &dyn Store) -> Result<(), StoreError> {
        for row in store.moves()? {
            self.put_away_after(row);
        }
        let rows = store.workspaces()?;
        let known = self.others.all().into_iter().map(|it| it.name.to_string());
        let known = known.chain(self.all().into_iter().map(|it| it.name.to_string()));
        let all: HashSet<_> = rows.into_iter().map(|row| row.name).chain(known).collect();
        for name in all {
            self.follow_workspace(store, &name)?;
        }
        for user in store.users()? {
            self.follow_user(store, user.id)?;
        }
        Ok(())
    }

    fn follow_workspace(self: &Arc<Self>, store: &dyn Store, name: &str) -> Result<(), StoreError> {
        let placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        // What one does oneself is in memory before that lock is given back.
        let Some(row) = store.workspace(name)? else {
            self.others.remove(name);
            return Ok(());
        };
        if row.home != self.config.machine() {
            return self.hand_over(store, &row);
        }
        if let Some(archive) = &row.archive {
            self.others.remove(name);
            if self.by_name.contains_key(name) {
                self.follow_removal(store, archive)?;
            }
            return Ok(());
        }
        if row.retired {
            self.others.remove(name);
            return Ok(());
        }
        let Some(workspace) = self.named(name) else {
            self.publish(&row)?;
            // Not before, so that it is known at any moment.
            self.others.remove(name);
            self.lead_members(store, &row)?;
            let workspace = self.named(name);
            drop(placing);
            info!(
                workspace = name,
                slot = row.slot,
                "given by another machine"
            );
            if let Some(workspace) = workspace {
                // What others change next does not wait for what it runs.
                let routes = self.clone();
                let runtime = tokio::runtime::Handle::current();
                runtime.spawn_blocking(move || routes.begin(&workspace));
            }
            return Ok(());
        };
        self.follow_members(&row, &workspace);
        Ok(())
    }

    fn follow_members(&self, row: &WorkspaceRow, workspace: &Arc<Workspace>) {
        for gone in self.members(workspace) {
            if !row.members.contains(&gone) {
                self.take_out(gone, workspace);
            }
        }
        for member in &row.members {
            self.add(*member, workspace);
        }
    }

    /// Another gateway has removed the only member of a workspace that is here.
    fn follow_removal(
        self: &Arc<Self>,
        store: &dyn Store,
        archive: &str,
    ) -> Result<(), StoreError> {
        let rows = store.archives()?;
        let Some(row) = rows.into_iter().find(|row| row.id == archive) else {
            return Ok(());
        };
        let workspace = self.withdraw(&row.workspace);
        let routes = self.clone();
        tokio::runtime::Handle::current().spawn(async move {
            let left = routes
                .put_all_away(vec![(row, workspace)], Vec::new())
                .await;
            if !left.is_empty() {
                warn!(?left, "archives are still on their way");
            }
        });
        Ok(())
    }

    fn follow_user(&self, store: &dyn Store, user: Uuid) -> Result<(), StoreError> {
        let _one = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let placed = store.placed(user)?;
        if placed.is_taken_out {
            self.without.insert(user, Without::TakenOut);
        } else {
            self.without
                .remove_if(&user, |_, why| matches!(why, Without::TakenOut));
        }
        match placed.chosen.as_deref() {
            Some(name) => self.lead_to_named(user, name),
            None => self.others.lead_to(user, None),
        }
        Ok(())
    }

    /// Puts into memory where a user is led to, wherever that is.
    pub(super) fn lead_to_named(&self, user: Uuid, name: &str) {
        match self.named(name) {
            Some(workspace) => {
                self.others.lead_to(user, None);
                self.lead_to(user, &workspace);
            }
            None => self.others.lead_to(user, Some(name)),
        }
    }

    /// Whether it is known here which home a workspace has in this epoch.
    pub fn knows_epoch(&self, workspace: &str, epoch: u64) -> bool {
        let here = self.by_name.get(workspace).map(|it| it.epoch);
        let known = here.or_else(|| Some(self.others.named(workspace)?.epoch));
        known.is_some_and(|known| known >= epoch)
    }

    /// Where a workspace is that was here, if another machine has become its home.
    pub fn moved(&self, workspace: &Workspace) -> Option<Arc<Elsewhere>> {
        let is_gone = workspace.gone.is_cancelled();
        is_gone.then(|| self.elsewhere(&workspace.name)).flatten()
    }

    /// The workspace of this name, if another machine is its home.
    pub fn elsewhere(&self, name: &str) -> Option<Arc<Elsewhere>> {
        self.others.named(name)
    }

    /// Whether there is a workspace of this name, wherever it is.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.named(name).is_some() || self.others.named(name).is_some()
    }
}
