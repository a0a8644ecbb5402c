//! Why there is no claim, and why there was no swap.

use super::elsewhere::Elsewhere;
use crate::concurrency_limit::Full;
use crate::runtime::{ProbeError, RuntimeError};
use crate::store::StoreError;
use std::sync::Arc;

/// Why a request got no claim.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum ClaimError {
    /// The user has no workspace, and none can be made for them.
    #[error(
        "there is no workspace for {username}; ask the operator to add you to the members of one"
    )]
    NoWorkspace { username: String },
    /// The host has no room for one more workspace.
    #[error(
        "this host has no free slot for a workspace of yours: all {slots} are taken; ask the operator to raise `services.choiros.slots`, or to remove somebody who is gone"
    )]
    NoSlot { slots: u32 },
    /// The user's workspace is kept, but not declared any longer.
    #[error(
        "your workspace {workspace} is no longer declared on this host; ask the operator to declare `workspaces.{workspace}` again, or to add you to the members of another one"
    )]
    Retired { workspace: String },
    /// Another machine is its home.
    #[error(
        "your workspace is at the machine {machine}, which cannot be reached from here just now; try again in a moment"
    )]
    Elsewhere { machine: Box<str> },
    /// The same of one that has perhaps just moved there.
    #[error(
        "your workspace is at the machine {}, which cannot be reached from here just now; try again in a moment",
        workspace.home
    )]
    Moved { workspace: Arc<Elsewhere> },
    /// The sandbox is not to be had.
    #[error("{cause}")]
    Sandbox {
        sandbox: String,
        cause: RuntimeError,
    },
    /// What it waited for took too long.
    #[error(
        "{sandbox} is being changed, which takes longer than requests may be held; try again in a moment"
    )]
    Held { sandbox: String },
    /// There are as many requests as there may be.
    #[error("{full}. {}", full.remedy())]
    Busy {
        /// The sandbox that was not asked.
        sandbox: String,
        full: Full,
    },
    /// The routes could not be read or written.
    #[error("the store does not answer: {0}")]
    Store(#[from] StoreError),
}

/// Why nothing was swapped.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum SwapError {
    /// The dev sandbox could not be started for its probe.
    #[error("the dev sandbox {sandbox} does not start: {cause}; nothing was changed")]
    DevNotRunning {
        sandbox: String,
        cause: RuntimeError,
    },
    /// The dev sandbox is not fit to be live.
    #[error(
        "the dev sandbox {sandbox} is not healthy: {cause}; nothing was changed. Mend it, or swap with `force`"
    )]
    DevUnhealthy { sandbox: String, cause: ProbeError },
    /// Somebody else changed the routes since the caller looked.
    #[error(
        "the routes are at generation {current}, not {expected}; look at them again before you swap"
    )]
    StaleGeneration { expected: u64, current: u64 },
    /// Another change of this workspace is at work.
    #[error("another swap or change of this workspace is at work; look at its outcome first")]
    InProgress,
    /// The store refused; memory was not touched.
    #[error("the swap could not be stored, and nothing was changed: {0}")]
    Store(StoreError),
    /// The swap's own task failed; the store and memory still agree.
    #[error("the swap was interrupted; look at the routes before you try again")]
    Interrupted,
}

/// Why a sandbox was not started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The runtime's reason.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}
