//! Which workspace a person gets who has none.

use super::error::ClaimError;
use super::members;
use super::person::Membership;
use super::route::Workspace;
use super::table::{Routes, Without};
use crate::auth::User;
use crate::config::{DEFAULT_WORKSPACE, is_workspace_label};
use crate::role::Role;
use crate::store::{Conflict, Home, NewWorkspace, Store, StoreError, WorkspaceRow};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tokio::runtime::Handle;
use tracing::{info, warn};

impl Routes {
    /// The workspace that this user is led to; the first time, one is given to them.
    ///
    /// # Errors
    /// As for [`Routes::membership_of`].
    pub async fn workspace(self: &Arc<Self>, user: &User) -> Result<Arc<Workspace>, ClaimError> {
        Ok(self.membership_of(user).await?.workspace)
    }

    /// The same, and until when.
    ///
    /// # Errors
    /// [`ClaimError::NoWorkspace`], [`ClaimError::NoSlot`] or [`ClaimError::Retired`]; the store's.
    pub async fn membership_of(self: &Arc<Self>, user: &User) -> Result<Membership, ClaimError> {
        if let Some(membership) = self.chosen(user.id) {
            return Ok(membership);
        }
        match self.without.get(&user.id).as_deref() {
            None => {}
            Some(Without::TakenOut) => return Err(no_workspace(user)),
            Some(Without::Awaited(workspace)) => {
                return Err(ClaimError::Held {
                    sandbox: workspace.to_string(),
                });
            }
            Some(Without::Retired(workspace)) => {
                return Err(ClaimError::Retired {
                    workspace: workspace.to_string(),
                });
            }
        }
        let (routes, user) = (self.clone(), user.clone());
        self.store.run(move |store| routes.give(store, &user)).await
    }

    fn give(self: &Arc<Self>, store: &dyn Store, user: &User) -> Result<Membership, ClaimError> {
        if self.chosen(user.id).is_none() {
            let settle_in = |home: &Home| store.settle_in(home, user.id);
            match self.place_user(user, self.home_of(&user.username), settle_in) {
                Ok(()) => {}
                Err(StoreError::Conflict(Conflict::NoSlot)) => {
                    let slots = self.config.slots.count();
                    return Err(ClaimError::NoSlot { slots });
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.chosen(user.id).ok_or_else(|| no_workspace(user))
    }

    /// Has `write` keep the workspace that a user gets, and puts it into memory. Blocks.
    ///
    /// # Errors
    /// Those of `write`; nothing was changed then.
    pub(super) fn place_user(
        self: &Arc<Self>,
        user: &User,
        home: impl FnOnce() -> Home,
        mut write: impl FnMut(&Home) -> Result<Option<WorkspaceRow>, StoreError>,
    ) -> Result<(), StoreError> {
        let lock = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.chosen(user.id).is_some() {
            return Ok(());
        }
        let mut home = home();
        let mut tried = 1;
        let row = loop {
            match write(&home) {
                // One that is not served has this name.
                Err(StoreError::Conflict(Conflict::Workspace)) if tried < MOST_NAMES => {
                    tried += 1;
                    if let Home::New(new) = &mut home {
                        new.name = format!("{}-{tried}", stem(&user.username));
                    }
                }
                written => break written?,
            }
        };
        let Some(row) = row else {
            return Ok(());
        };
        let is_new = self.named(&row.name).is_none();
        if is_new {
            self.publish(&row)?;
        }
        let Some(workspace) = self.named(&row.name) else {
            return Ok(());
        };
        self.add(user.id, &workspace);
        self.lead_to(user.id, &workspace);
        drop(lock);
        info!(workspace = %workspace.name, slot = workspace.slot, user = %user.username, "given");
        if is_new {
            self.begin(&workspace);
        }
        Ok(())
    }

    /// Finds out what a new workspace runs. One in a slot is started before its first request, which
    /// its owner is on the way to.
    fn begin(self: &Arc<Self>, workspace: &Arc<Workspace>) {
        let runtime = Handle::current();
        if let Err(error) = runtime.block_on(self.settle_release(workspace)) {
            warn!(workspace = %workspace.name, %error, "its releases could not be stored");
        }
        if workspace.slot.is_some() {
            let live = workspace.pair().live.sandbox.clone();
            runtime.spawn(async move {
                if let Err(error) = live.ready().await {
                    warn!(sandbox = live.name(), %error, "a new workspace does not start");
                }
            });
        }
    }

    /// What a person of this name gets: their declared workspace, else a declared one that is
    /// nobody's, else a new one.
    pub(super) fn home_of(&self, username: &str) -> impl FnOnce() -> Home {
        move || {
            let declared = &self.config.workspaces;
            let served = |name: &&String| self.named(name).is_some();
            let theirs = members::names(declared, username).filter(served);
            let default = declared.get_key_value(DEFAULT_WORKSPACE);
            let nobodys = || {
                let in_order = default.into_iter().chain(declared.iter());
                let mut free = in_order.filter(|(name, workspace)| {
                    // What was somebody's once may have their data.
                    let is_free = |it: Arc<Workspace>| !it.owned.load(Ordering::Relaxed);
                    workspace.members.is_empty() && self.named(name).is_some_and(is_free)
                });
                free.next().map(|(name, _)| name)
            };
            if let Some(name) = theirs.or_else(nobodys) {
                return Home::Member(name.clone());
            }
            let slots = self.config.slots.count();
            if self.runtime.can_create() || slots > 0 {
                return Home::New(NewWorkspace {
                    name: self.free_name(username),
                    slots: (slots > 0).then_some(slots),
                });
            }
            Home::None
        }
    }

    /// A workspace's name that is made of the username's letters and digits.
    pub(super) fn free_name(&self, username: &str) -> String {
        let stem = stem(username);
        let mut names = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
        let is_free = |name: &String| is_workspace_label(name) && self.is_unused(name);
        names.find(is_free).unwrap_or(stem)
    }

    /// Whether no workspace that is known has this name, nor the gateway one of its hosts.
    pub(super) fn is_unused(&self, name: &str) -> bool {
        !self.by_name.contains_key(name)
            && !self.retired.contains(name)
            && self.has_free_hosts(name)
    }

    /// Whether neither sandbox would be at a host of the gateway.
    fn has_free_hosts(&self, name: &str) -> bool {
        [Role::Live, Role::Dev]
            .iter()
            .all(|&role| !self.hosts.is_taken(&self.config.sandbox_host(name, role)))
    }
}

/// So many names are tried that the store may have.
const MOST_NAMES: u32 = 1000;

fn stem(username: &str) -> String {
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
    stem
}

fn no_workspace(user: &User) -> ClaimError {
    ClaimError::NoWorkspace {
        username: user.username.clone(),
    }
}
