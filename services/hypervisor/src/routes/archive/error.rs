//! Why nobody was removed, or no archive restored or deleted.

use crate::runtime::RuntimeError;
use crate::store::{Conflict, StoreError};

/// Why a user was not removed; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum RemoveError {
    /// Perhaps somebody else was faster.
    #[error("there is no such user; `hypervisor users list` says who there is")]
    NoUser,
    /// Their role was taken meanwhile.
    #[error("only an admin may do this; ask one")]
    NotAdmin,
    /// Nobody could help the others.
    #[error(
        "this is the last admin who may log in; make another one first: `hypervisor users admin <name>`"
    )]
    LastAdmin,
    /// It is finished or taken back first.
    #[error(
        "workspace {workspace} is just being changed; remove them when that is done, `hypervisor sandboxes` says how it went"
    )]
    InProgress { workspace: String },
    /// The store refused.
    #[error("the store does not answer: {0}")]
    Store(StoreError),
    /// The work's own task failed.
    #[error("the removal was interrupted; look who there is before you try again")]
    Interrupted,
}

impl From<StoreError> for RemoveError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Conflict::NoUser) => Self::NoUser,
            StoreError::Conflict(Conflict::LastAdmin) => Self::LastAdmin,
            StoreError::Conflict(Conflict::NotAdmin) => Self::NotAdmin,
            error => Self::Store(error),
        }
    }
}

/// Why an archive was not restored or deleted; it is what it was.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum ArchiveError {
    /// Or it is not whole, or not there any longer.
    #[error(
        "there is no archive {id}, or it is just being made, restored or deleted; `hypervisor archives list` lists those that there are"
    )]
    NoArchive { id: String },
    /// Whose it should become.
    #[error(
        "there is no user {username}; have them sign up first, `hypervisor invites create` makes a link"
    )]
    NoUser { username: String },
    /// The host has no room for one more workspace.
    #[error(
        "this host has no free slot: all {slots} are taken; raise `services.choiros.slots`, or remove somebody who is gone"
    )]
    NoSlot { slots: u32 },
    /// The host makes no workspaces.
    #[error("workspaces are made by the configuration alone here; set `services.choiros.slots`")]
    NoWorkspaces,
    /// Many workspaces are called so.
    #[error("all names like {workspace} are taken; remove one of those workspaces first")]
    Name { workspace: String },
    /// What stands in the way of its data.
    #[error("{0}")]
    Runtime(#[from] RuntimeError),
    /// The store refused.
    #[error("the store does not answer: {0}")]
    Store(#[from] StoreError),
    /// The work's own task failed; the next start finishes it.
    #[error(
        "the work on the archive was interrupted; `hypervisor archives list` says how far it has come"
    )]
    Interrupted,
}
