//! What a new person gets beside their account; this module does not know what that is.

use crate::store::{InviteRow, NewAccount, Store, StoreError};

/// Gives new people their workspace.
pub trait Placement: Send + Sync {
    /// Whether somebody of this name could come with this invite.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, username: &str, invite: Option<&InviteRow>) -> Result<(), PlacementError>;

    /// Writes an account, and the workspace with it, or neither. Blocks.
    ///
    /// # Errors
    /// Why not.
    fn place(
        &self,
        store: &dyn Store,
        account: NewAccount,
        invite: Option<&InviteRow>,
    ) -> Result<(), PlacementError>;
}

/// Why nobody comes.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum PlacementError {
    /// The configuration gives this name a workspace.
    #[error(
        "{username} is the name of a member whom the operator has named; it takes an invite for that name: ask the operator for one (`hypervisor invites create --username {username}`)"
    )]
    Reserved { username: String },
    /// The host has no room for one more workspace.
    #[error(
        "this host has no free slot for one more workspace: all {slots} are taken. Your invite stays good; ask the operator to raise `services.choiros.slots`, or to remove somebody who is gone"
    )]
    NoSlot { slots: u32 },
    /// The invite leads nowhere any longer.
    #[error(
        "the workspace {workspace} of this invite is not served any longer; ask for another invite"
    )]
    NoWorkspace { workspace: String },
    /// The store refused; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
