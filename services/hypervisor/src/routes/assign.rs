//! Which workspace a person gets who has none.

use super::error::ClaimError;
use super::members;
use super::person::Membership;
use super::route::Workspace;
use super::table::{Routes, Without};
use crate::auth::User;
use crate::config::{DEFAULT_WORKSPACE, is_workspace_label};
use crate::free_memory::free_memory;
use crate::role::Role;
use crate::store::{Capacity, Conflict, Home, NewWorkspace, Room, Store, StoreError, WorkspaceRow};
use std::cmp::Reverse;
use std::iter;
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
        if let Some(workspace) = self.led_elsewhere(user.id) {
            return Err(ClaimError::Moved { workspace });
        }
        let (routes, user) = (self.clone(), user.clone());
        self.store.run(move |store| routes.give(store, &user)).await
    }

    fn give(self: &Arc<Self>, store: &dyn Store, user: &User) -> Result<Membership, ClaimError> {
        let settle_in = |home: &Home| store.settle_in(home, user.id);
        match self.place_user(user, || self.homes_of(store, &user.username), settle_in) {
            Err(StoreError::Conflict(Conflict::NoSlot)) => {
                let slots = self.config.slots.count();
                return Err(ClaimError::NoSlot { slots });
            }
            placed => placed?,
        }
        match (self.chosen(user.id), self.led_elsewhere(user.id)) {
            (Some(membership), None) => Ok(membership),
            (_, Some(workspace)) => Err(ClaimError::Moved { workspace }),
            (None, None) => Err(no_workspace(user)),
        }
    }

    /// Has `write` keep the workspace that a user gets, and puts it into memory. It is the first of
    /// `homes` whose name is free in the store, which has workspaces that nobody is led to as well.
    /// Blocks.
    ///
    /// # Errors
    /// Those of `write`, and `Conflict::NoWorkspace` if it was taken away; nothing was changed then.
    pub(super) fn place_user<H: Iterator<Item = Home>>(
        self: &Arc<Self>,
        user: &User,
        homes: impl FnOnce() -> H,
        mut write: impl FnMut(&Home) -> Result<Option<WorkspaceRow>, StoreError>,
    ) -> Result<(), StoreError> {
        let lock = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.chosen(user.id).is_some() || self.led_elsewhere(user.id).is_some() {
            return Ok(());
        }
        let mut written = homes().map(|home| match &home {
            Home::Member(name) if !self.is_known(name) => Err(Conflict::NoWorkspace.into()),
            home => write(home),
        });
        let taken = |it: &Result<_, StoreError>| {
            matches!(it, Err(StoreError::Conflict(Conflict::Workspace)))
        };
        let written = written.find(|it| !taken(it));
        let Some(row) = written.unwrap_or_else(|| Err(Conflict::Workspace.into()))? else {
            return Ok(());
        };
        if row.home != self.config.machine() {
            self.without.remove(&user.id);
            self.others.put(&self.config, &row);
            self.others.lead_to(user.id, Some(&row.name));
            info!(workspace = row.name, machine = row.home, user = %user.username, "given");
            return Ok(());
        }
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
    pub(super) fn begin(self: &Arc<Self>, workspace: &Arc<Workspace>) {
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
    /// nobody's, else a new one, by the first of these names that is free.
    pub(super) fn homes_of(
        &self,
        store: &dyn Store,
        username: &str,
    ) -> Box<dyn Iterator<Item = Home> + '_> {
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
            return Box::new(iter::once(Home::Member(name.clone())));
        }
        let rooms = self.rooms(store);
        if rooms.is_empty() {
            return Box::new(iter::once(Home::None));
        }
        let new = move |name| {
            let rooms = rooms.clone();
            Home::New(NewWorkspace { name, rooms })
        };
        Box::new(self.names_like(stem(username)).map(new))
    }

    /// The room that this machine has for new workspaces, if any.
    pub(super) fn room(&self) -> Option<Room> {
        let slots = self.config.slots.count();
        (self.runtime.can_create() || slots > 0).then(|| Room {
            machine: self.config.machine().to_owned(),
            slots: (slots > 0).then_some(slots),
        })
    }

    /// Where there may be room for a new workspace: first where most memory is free.
    fn rooms(&self, store: &dyn Store) -> Vec<Room> {
        let Some(own) = self.room() else {
            return Vec::new();
        };
        // That they cannot be asked is no reason to turn people away.
        let mut machines = store.machines().unwrap_or_default();
        machines.retain(|it| it.is_there && it.name != own.machine);
        machines.retain(|it| it.capacity.slots.is_none_or(|slots| slots > 0));
        let here = (free_memory(), own);
        let there = machines.into_iter().map(|it| {
            let room = Room {
                machine: it.name,
                slots: it.capacity.slots,
            };
            (it.capacity.free_memory, room)
        });
        let mut all: Vec<_> = iter::once(here).chain(there).collect();
        all.sort_by_key(|(free, _)| Reverse(*free));
        all.into_iter().map(|(_, room)| room).collect()
    }

    /// What this machine has room for.
    pub fn capacity(&self) -> Capacity {
        let room = self.room();
        Capacity {
            slots: room.map_or(Some(0), |room| room.slots),
            free_memory: free_memory(),
        }
    }

    /// What a new workspace may be called that would best be called so, as far as is known here.
    pub(super) fn names_like(&self, name: String) -> impl Iterator<Item = String> {
        let more = (2..MOST_NAMES).map({
            let name = name.clone();
            move |n| format!("{name}-{n}")
        });
        let names = iter::once(name).chain(more);
        names.filter(|name| is_workspace_label(name) && self.is_unused(name))
    }

    /// Whether no workspace that is known has this name, nor the gateway one of its hosts.
    fn is_unused(&self, name: &str) -> bool {
        !self.by_name.contains_key(name)
            && !self.retired.contains(name)
            && self.others.named(name).is_none()
            && self.has_free_hosts(name)
    }

    /// Whether neither sandbox would be at a host of the gateway.
    fn has_free_hosts(&self, name: &str) -> bool {
        [Role::Live, Role::Dev]
            .iter()
            .all(|&role| !self.hosts.is_taken(&self.config.sandbox_host(name, role)))
    }
}

/// More workspaces of one name than any host has.
const MOST_NAMES: u32 = 100_000;

/// A name that is made of the username's letters and digits.
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
