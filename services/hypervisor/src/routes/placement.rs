//! What a new person gets with their account.

use super::members;
use super::table::Routes;
use crate::auth::{Placement, PlacementError};
use crate::store::{Conflict, Home, InviteRow, NewAccount, NewNotice, Store, StoreError};
use crate::timestamp::Timestamp;
use std::iter;
use std::sync::Arc;
use tracing::warn;

/// The routes, as accounts are made over them.
pub struct Places(pub Arc<Routes>);

impl Placement for Places {
    fn check(&self, username: &str, invite: Option<&InviteRow>) -> Result<(), PlacementError> {
        let declared = &self.0.config.workspaces;
        let is_for_them = invite
            .is_some_and(|invite| invite.admin || invite.username.as_deref() == Some(username));
        if members::names(declared, username).is_some() && !is_for_them {
            return Err(PlacementError::Reserved {
                username: username.to_owned(),
            });
        }
        Ok(())
    }

    fn place(
        &self,
        store: &dyn Store,
        mut account: NewAccount,
        invite: Option<&InviteRow>,
    ) -> Result<(), PlacementError> {
        let routes = &self.0;
        let user = account.user.clone();
        self.check(&user.username, invite)?;
        let invited_to = invite.and_then(|invite| invite.workspace.clone());
        let homes = || match invited_to.clone() {
            Some(workspace) => Box::new(iter::once(Home::Member(workspace))),
            None => routes.homes_of(store, &user.username),
        };
        let mut write = |home: &Home| {
            account.home = home.clone();
            store.create_account(&account)
        };
        match (routes.place_user(&user, homes, &mut write), invited_to) {
            (Err(StoreError::Conflict(Conflict::NoWorkspace)), Some(workspace)) => {
                Err(PlacementError::NoWorkspace { workspace })
            }
            // An admin needs none of their own to help the others.
            (Err(StoreError::Conflict(Conflict::NoSlot)), _) if user.admin => {
                write(&Home::None)?;
                Ok(())
            }
            (Err(StoreError::Conflict(Conflict::NoSlot)), _) => {
                Err(self.no_slot(store, &user.username))
            }
            (placed, _) => Ok(placed?),
        }
    }
}

impl Places {
    /// What the person is told, after the admins are.
    fn no_slot(&self, store: &dyn Store, username: &str) -> PlacementError {
        let slots = self.0.config.slots.count();
        warn!(username, slots, "no slot is free for a new person");
        let notice = NewNotice {
            by: None,
            at: Timestamp::now(),
            event: "no_slot",
            detail: format!(
                "{username} could not sign up: all {slots} slots are taken. Raise `services.choiros.slots`, or remove somebody who is gone"
            ),
        };
        if let Err(error) = store.tell_admins(&notice) {
            warn!(%error, "the admins could not be told");
        }
        PlacementError::NoSlot { slots }
    }
}
