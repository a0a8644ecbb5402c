//! What is kept of workspaces that another machine becomes the home of.

use super::{ArchiveRow, NewChange, Room, StoreError, WorkspaceRow};
use serde::{Deserialize, Serialize};

/// A workspace whose data are, or were, on their way from one machine to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveRow {
    /// The workspace.
    pub workspace: String,
    /// What its data are called on the way.
    pub id: String,
    /// The machine that they come from.
    pub source: String,
    /// The slot that it has, or had, there.
    pub source_slot: Option<u32>,
    /// Whether the sandbox that was born dev is live.
    pub swapped: bool,
    /// The machine that they go to.
    pub target: String,
    /// The slot that it is to have there.
    pub target_slot: Option<u32>,
    /// How far it has come.
    pub state: MoveState,
}

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveState {
    /// The source is the home, and sends the data.
    Begun,
    /// The target is the home, and the source has the data still.
    Done,
    /// The source is the home, and the target has the data still.
    TakenBack,
}

/// A move as it begins.
#[derive(Debug, Clone)]
pub struct NewMove {
    /// What it is in the workspace's history.
    pub change: NewChange,
    /// What its data are called on the way.
    pub id: String,
    /// The machine that has the workspace.
    pub source: String,
    /// How often it had another home before.
    pub epoch: u64,
    /// The machine that is to have it.
    pub room: Room,
}

/// What makes a move hold.
#[derive(Debug, Clone)]
pub struct CommitMove {
    /// The change in the workspace's history.
    pub change: i64,
    /// The workspace.
    pub workspace: String,
    /// The generation that it still must have.
    pub expect_generation: u64,
    /// The epoch that it still must have.
    pub expect_epoch: u64,
    /// What live runs, by the target's numbers.
    pub live_release: u64,
    /// What dev runs.
    pub dev_release: u64,
    /// For how long requests were held.
    pub held_ms: u64,
    /// How many requests may have written to live.
    pub writes: u64,
}

/// Workspaces that change their home.
pub trait MoveStore {
    /// Notes that a move begins, and takes a slot of the target; answers with the change's id.
    ///
    /// # Errors
    /// `Conflict::Move` if the last one is not over, or the workspace is not at that machine, in that
    /// epoch, with nothing else to be done; `Conflict::NoSlot` if no slot is free there.
    fn begin_move(&self, new: &NewMove) -> Result<(i64, MoveRow), StoreError>;

    /// Makes the target the home, in the next generation and the next epoch, if the move is still
    /// under way.
    ///
    /// # Errors
    /// `Conflict::Generation` if the workspace is another than it was.
    fn commit_move(&self, commit: &CommitMove) -> Result<WorkspaceRow, StoreError>;

    /// All that are not over.
    fn moves(&self) -> Result<Vec<MoveRow>, StoreError>;

    /// The one of this workspace.
    fn move_of(&self, workspace: &str) -> Result<Option<MoveRow>, StoreError>;

    /// Notes that one is not to be: what was received of it is to be removed.
    fn take_move_back(&self, workspace: &str) -> Result<(), StoreError>;

    /// Notes that the source has put away what it had, as this archive.
    fn source_cleared(&self, of: &MoveRow, archive: &ArchiveRow) -> Result<(), StoreError>;

    /// Notes that the target has removed what it had received.
    fn target_cleared(&self, of: &MoveRow) -> Result<(), StoreError>;
}
