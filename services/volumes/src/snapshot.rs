//! What is known of a snapshot, and where that is kept.

use crate::id::SnapshotId;
use crate::{Result, files, spare};
use rustix::fd::BorrowedFd;
use serde::{Deserialize, Serialize};

/// The file in a snapshot's folder that says what it is.
pub(crate) const ABOUT: &str = "snapshot.json";
/// The folder in there that holds the tree.
pub(crate) const DATA: &str = "data";

/// Why a snapshot was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody asked for it.
    Asked,
    /// Live's volume before a promotion.
    Promote,
    /// What dev's volume became a copy of.
    Fork,
    /// Before a restore.
    Restore,
    /// What was there before a copy took its place.
    Aside,
    /// For a backup.
    Backup,
}

/// A copy of a volume as of one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What it is called.
    pub id: SnapshotId,
    /// When it was made, in milliseconds since 1970.
    pub at: u64,
    /// Why it was made.
    pub reason: Reason,
    /// How much data it holds; holes in files don't count.
    pub bytes: u64,
    /// How many files, links and FIFOs.
    pub files: u64,
    /// How long what writes to the volume was held still for it.
    pub frozen_ms: f64,
    /// Whether it shares its data with the volume, so that it takes room only for what changes.
    pub shares_blocks: bool,
    /// How many devices, sockets and mounted file systems are not in it.
    pub left_out: u64,
}

impl Snapshot {
    pub(crate) fn read(folder: BorrowedFd<'_>, path: &str) -> Result<Option<Self>> {
        files::read_json(folder, ABOUT, path)
    }

    pub(crate) fn write(&self, folder: BorrowedFd<'_>, path: &str) -> Result<()> {
        spare::write(folder, ABOUT, || {
            files::write_json(folder, ABOUT, self, path)
        })?;
        spare::keep(folder);
        Ok(())
    }
}
