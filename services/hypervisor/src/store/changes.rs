//! What is kept of changes: to which release and volume a role's sandbox came, and who stopped one.

use super::{StoreError, Watch, WorkspaceRow};
use crate::role::Role;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The roles exchange their sandboxes.
    Swap,
    /// Live takes another release.
    Promote,
    /// A promotion is taken back.
    Undo,
    /// Dev's volume becomes a copy of live's.
    Fork,
    /// A volume becomes what a snapshot has.
    Restore,
    /// Dev takes another release.
    Give,
    /// Another machine becomes the home.
    Move,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOutcome {
    /// It holds.
    Done,
    /// All is as it was before.
    TakenBack,
    /// It was done, and undone later.
    Undone,
}

/// A change as it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChange {
    /// The workspace.
    pub workspace: String,
    /// What it does.
    pub kind: ChangeKind,
    /// Who wants it.
    pub by: String,
    /// The sandbox whose release or volume changes.
    pub sandbox: String,
    /// The release that it has.
    pub from_release: u64,
    /// The one that it is to have.
    pub to_release: u64,
    /// The name of the snapshot of its volume that is made before anything changes.
    pub snapshot: Option<String>,
}

/// A change as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeRow {
    /// Grows with each.
    pub id: i64,
    /// The workspace.
    #[serde(skip)]
    pub workspace: String,
    /// What it does.
    pub kind: ChangeKind,
    /// Who wanted it.
    pub by: String,
    /// When it began.
    pub at: Timestamp,
    /// The sandbox whose release or volume changes.
    pub sandbox: String,
    /// The release that it had.
    pub from_release: u64,
    /// The one that it is to have.
    pub to_release: u64,
    /// The snapshot of its volume from before.
    pub snapshot: Option<String>,
    /// The generation that it made.
    pub generation: Option<u64>,
    /// For how long requests were held.
    pub held_ms: Option<u64>,
    /// How many requests may have written to live until then.
    #[serde(skip)]
    pub writes: u64,
    /// What became of it; none while it is under way.
    pub outcome: Option<ChangeOutcome>,
    /// Why, in a sentence.
    pub detail: String,
}

/// What makes a change hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The change.
    pub id: i64,
    /// The workspace.
    pub workspace: String,
    /// The generation that it still must have.
    pub expect_generation: u64,
    /// The role whose sandbox has changed.
    pub role: Role,
    /// What that runs from now on.
    pub release: u64,
    /// For how long requests were held.
    pub held_ms: u64,
    /// How many requests may have written to live.
    pub writes: u64,
    /// Dev has what live has.
    pub is_fork: bool,
    /// The change that is undone by this one.
    pub undoes: Option<i64>,
    /// The change's, and that of whatever else there is to say of it.
    pub watch: Watch,
}

/// What a workspace's sandboxes run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedReleases {
    /// The workspace.
    pub workspace: String,
    /// What live runs.
    pub live: u64,
    /// What dev runs.
    pub dev: u64,
}

/// Who stopped a sandbox by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedRow {
    /// The sandbox.
    pub sandbox: String,
    /// Its workspace.
    pub workspace: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Changes, releases in use, and sandboxes at rest.
pub trait ChangeStore {
    /// Notes that a change begins; answers with its id.
    fn begin_change(&self, change: &NewChange) -> Result<i64, StoreError>;

    /// Makes a change hold, in one step with what it means for routes and probation.
    ///
    /// # Errors
    /// `Conflict::Generation` unless the workspace is in just that generation.
    fn commit_change(&self, commit: &Commit) -> Result<WorkspaceRow, StoreError>;

    /// Notes that a change was taken back, if it is still under way; so is the move that it was.
    fn take_change_back(&self, id: i64, held_ms: u64, detail: &str) -> Result<(), StoreError>;

    /// The changes that were broken off, the oldest first.
    fn open_changes(&self) -> Result<Vec<ChangeRow>, StoreError>;

    /// A workspace's last changes, the newest first.
    fn changes(&self, workspace: &str, most: usize) -> Result<Vec<ChangeRow>, StoreError>;

    /// Says what live and dev run, where no change brought it about.
    fn set_releases(&self, all: &[PinnedReleases]) -> Result<(), StoreError>;

    /// Says how many requests may have written to live.
    fn set_writes(&self, workspace: &str, writes: u64) -> Result<(), StoreError>;

    /// The sandboxes that somebody stopped.
    fn stopped(&self) -> Result<Vec<StoppedRow>, StoreError>;

    /// Notes that somebody stopped a sandbox.
    fn set_stopped(&self, row: &StoppedRow) -> Result<(), StoreError>;

    /// Notes that a sandbox may run again.
    fn unset_stopped(&self, workspace: &str, sandbox: &str) -> Result<(), StoreError>;
}
