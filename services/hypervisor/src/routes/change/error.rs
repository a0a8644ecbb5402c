//! Why nothing was changed.

use crate::runtime::RuntimeError;
use crate::store::StoreError;

/// Why nothing was changed. Whatever it is, releases and volumes are what they were.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum ChangeError {
    /// Another change of this workspace is at work.
    #[error("another change of this workspace is at work; look at its outcome first")]
    InProgress,
    /// Somebody else changed the workspace since the caller looked.
    #[error(
        "the workspace is at generation {current}, not {expected}; look at it again before you change it"
    )]
    StaleGeneration { expected: u64, current: u64 },
    /// There is nothing to promote.
    #[error(
        "live of {workspace} has release {release} already; give dev another one (`hypervisor release add`), or name one with `--release`"
    )]
    SameRelease { workspace: String, release: u64 },
    /// There is no such release.
    #[error("{workspace} has no release {release}; `hypervisor releases {workspace}` lists them")]
    NoRelease { workspace: String, release: u64 },
    /// There is no such snapshot.
    #[error(
        "{sandbox} has neither a snapshot nor a backup {snapshot}; `hypervisor snapshots {workspace}` and `hypervisor backups {workspace}` list them"
    )]
    NoSnapshot {
        workspace: String,
        sandbox: String,
        snapshot: String,
    },
    /// No promotion is there to be undone.
    #[error(
        "the last promotion of {workspace} was undone or replaced by another change; promote the release that you want (`hypervisor promote {workspace} --release N`)"
    )]
    NothingToUndo { workspace: String },
    /// Somebody stopped it, and it would be started.
    #[error(
        "{sandbox} was stopped by {by}; start it first (`hypervisor sandboxes start {workspace} {role}`)"
    )]
    StoppedByHand {
        workspace: String,
        role: crate::role::Role,
        sandbox: String,
        by: String,
    },
    /// The release is not well on a copy of live's data.
    #[error("the rehearsal in dev failed, and nothing was changed: {cause}")]
    RehearsalFailed { cause: String },
    /// Requests that were there before do not end.
    #[error(
        "{claims} requests to {sandbox} did not end within {secs} s, and nothing was changed; try again, or raise runtime.hold_secs"
    )]
    NotDrained {
        sandbox: String,
        claims: usize,
        secs: u64,
    },
    /// Where it is declared it belongs.
    #[error(
        "workspace {workspace} is declared in this machine's configuration, and so stays here; only workspaces that have a slot can be moved"
    )]
    Declared { workspace: String },
    /// There is no machine that could have it.
    #[error(
        "there is no machine {machine} now, or it is not in cluster.peers; `hypervisor machines` lists them"
    )]
    NoMachine { machine: String },
    /// There is nothing to move.
    #[error("{workspace} is at {machine} already")]
    AtHome { workspace: String, machine: String },
    /// The other machine has no room.
    #[error(
        "the machine {machine} has no free slot; raise `services.choiros.slots` there, or take another"
    )]
    NoSlotThere { machine: String },
    /// The last move left something behind.
    #[error(
        "{workspace} is on its way to another machine, or what was received of it the last time is not yet removed there; `hypervisor machines` says whether that one is there"
    )]
    Moves { workspace: String },
    /// The other machine refused, or went away.
    #[error(
        "the machine {machine} does not take {workspace}: {cause}; it is where it was, and nothing is lost"
    )]
    NotTaken {
        workspace: String,
        machine: String,
        cause: String,
    },
    /// It was tried, and everything is as it was before.
    #[error("{what} is not well, and was taken back; nothing is lost: {cause}")]
    TakenBack { what: String, cause: String },
    /// The runtime refused before anything was touched.
    #[error("{0}; nothing was changed")]
    Runtime(#[from] RuntimeError),
    /// The store refused.
    #[error("the change could not be stored, and nothing was changed: {0}")]
    Store(#[from] StoreError),
    /// The change's own task failed.
    #[error("the change was interrupted; look at the workspace before you try again")]
    Interrupted,
}

impl ChangeError {
    /// The same of a change that was a rehearsal.
    pub(super) fn of_rehearsal(self) -> Self {
        match self {
            Self::TakenBack { cause, .. } => Self::RehearsalFailed { cause },
            error => error,
        }
    }
}
