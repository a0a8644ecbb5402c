//! What is kept of people who are removed, and of the workspaces that were theirs alone.

use super::{Room, StoreError, WorkspaceRow};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A workspace whose data are kept apart after its last member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveRow {
    /// Its name, as volumes' archives have it.
    pub id: String,
    /// What the workspace was called.
    pub workspace: String,
    /// Who were its members.
    pub members: Vec<String>,
    /// The machine that has its data.
    pub home: String,
    /// The slot that it had.
    pub slot: Option<u32>,
    /// Whether the sandbox that was born dev is live.
    pub swapped: bool,
    /// The generation of its routes.
    pub generation: u64,
    /// What live ran.
    pub live_release: u64,
    /// What dev ran.
    pub dev_release: u64,
    /// When it was removed.
    pub at: Timestamp,
    /// When it is to be deleted; none for never.
    pub delete_at: Option<Timestamp>,
    /// How much data it has.
    pub bytes: u64,
    /// How far it has come.
    pub state: ArchiveState,
}

/// How far an archive has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArchiveState {
    /// Its workspace is there and served to nobody, and its data are on the way.
    Making,
    /// There is nothing else of it.
    Kept,
    /// There is a new workspace, served to nobody yet, and its data are on the way.
    Restoring,
    /// What is left of it is being removed.
    Deleting,
}

/// A person to be removed, with what is to be kept of theirs.
#[derive(Debug, Clone)]
pub struct Removal {
    /// Who.
    pub user: Uuid,
    /// The admin who wants it, if it is not the operator.
    pub by: Option<Uuid>,
    /// When.
    pub at: Timestamp,
    /// For how long in milliseconds archives are kept; none for ever.
    pub keep_ms: Option<i64>,
    /// The workspaces that stay, whether somebody is left in them or not.
    pub declared: Vec<String>,
}

/// An archive that is to be a workspace again.
#[derive(Debug, Clone)]
pub struct Revival {
    /// Which.
    pub id: String,
    /// Whose workspace it becomes.
    pub user: Uuid,
    /// What it may be called; the first name that is free counts.
    pub names: Vec<String>,
    /// Where it is to be: where its data are.
    pub room: Room,
}

/// People who are removed, and archives.
pub trait ArchiveStore {
    /// Removes a user and all that is theirs. A workspace of which they were the only member is on its
    /// way to an archive, for which `new_id` gives a name.
    ///
    /// # Errors
    /// `Conflict::NotAdmin` if who wants it is no admin any longer; `Conflict::NoUser` if there is
    /// nobody of this id; `Conflict::LastAdmin` if nobody else could help the others.
    fn remove_user(
        &self,
        removal: &Removal,
        new_id: &mut dyn FnMut() -> String,
    ) -> Result<Vec<ArchiveRow>, StoreError>;

    /// Every archive, the oldest first.
    fn archives(&self) -> Result<Vec<ArchiveRow>, StoreError>;

    /// Notes that the data are in the archive, and removes the workspace, which frees its slot.
    fn archived(&self, id: &str, bytes: u64) -> Result<(), StoreError>;

    /// Makes a workspace of an archive, for one member; answers with it.
    ///
    /// # Errors
    /// `Conflict::Archive` if there is none that is kept, `Conflict::Workspace` if all names are
    /// taken, `Conflict::NoSlot` if no slot is free.
    fn restore_archive(&self, revival: &Revival) -> Result<WorkspaceRow, StoreError>;

    /// Notes that the workspace has the data; the archive is to be removed.
    fn restored(&self, id: &str) -> Result<(), StoreError>;

    /// Notes that the archive has the data still, and removes the workspace that was to have them.
    fn not_restored(&self, id: &str) -> Result<(), StoreError>;

    /// Notes that the archive is to be removed; answers with it.
    ///
    /// # Errors
    /// `Conflict::Archive` if there is none that is kept.
    fn delete_archive(&self, id: &str) -> Result<ArchiveRow, StoreError>;

    /// Forgets an archive that is removed.
    fn archive_deleted(&self, id: &str) -> Result<(), StoreError>;
}
