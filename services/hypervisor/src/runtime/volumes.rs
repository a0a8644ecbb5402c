//! The volumes of sandboxes, and their snapshots.

use super::{RuntimeError, Sandbox};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A snapshot's name: `YYYYMMDDTHHMMSSZ-xxxx`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SnapshotId(String);

impl FromStr for SnapshotId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a snapshot was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Reason {
    Asked,
    Promote,
    Fork,
    Restore,
    /// What was there before it was replaced.
    Aside,
    Backup,
}

/// A copy of a volume as of one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field says what it is")]
pub struct Snapshot {
    pub id: SnapshotId,
    pub at: Timestamp,
    pub reason: Reason,
    pub bytes: u64,
    pub files: u64,
    pub frozen_ms: f64,
    pub shares_blocks: bool,
    pub left_out: u64,
}

impl Sandbox {
    /// Copies most of its volume ahead, so that [`Sandbox::snapshot`] with this id is short.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`] without volumes, or what stands in the way.
    #[expect(clippy::unused_async, reason = "it will wait for the disk")]
    pub async fn prepare_snapshot(&self, _id: &SnapshotId) -> Result<(), RuntimeError> {
        Err(unsupported())
    }

    /// A copy of its volume as of one moment. One that runs is frozen meanwhile.
    ///
    /// # Errors
    /// [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    #[expect(clippy::unused_async, reason = "it will wait for the disk")]
    pub async fn snapshot(
        &self,
        _id: &SnapshotId,
        _reason: Reason,
    ) -> Result<Snapshot, RuntimeError> {
        Err(unsupported())
    }

    /// Makes its volume a copy of that snapshot of `from`, which may be itself. It must be
    /// stopped, and what was there becomes its snapshot `aside`.
    ///
    /// # Errors
    /// [`RuntimeError::NoSnapshot`], [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`],
    /// [`RuntimeError::Volume`]; its volume is then what it was.
    #[expect(clippy::unused_async, reason = "it will wait for the disk")]
    pub async fn replace_volume(
        &self,
        _from: &Self,
        _id: &SnapshotId,
        _aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        Err(unsupported())
    }

    /// Its snapshots, oldest first.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    #[expect(clippy::unused_async, reason = "it will wait for the disk")]
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>, RuntimeError> {
        Err(unsupported())
    }

    /// Removes one of its snapshots.
    ///
    /// # Errors
    /// [`RuntimeError::NoSnapshot`], [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    #[expect(clippy::unused_async, reason = "it will wait for the disk")]
    pub async fn remove_snapshot(&self, _id: &SnapshotId) -> Result<(), RuntimeError> {
        Err(unsupported())
    }

    /// Removes the snapshots that no rule keeps, but none of `held`.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    #[expect(clippy::unused_async, reason = "it will wait for the disk")]
    pub async fn prune_snapshots(&self, _held: &[SnapshotId]) -> Result<(), RuntimeError> {
        Err(unsupported())
    }

    /// Finishes or takes back what a crash left half-done, before the sandbox is started.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    #[expect(clippy::unused_async, reason = "it will wait for the disk")]
    pub async fn recover_volume(&self) -> Result<(), RuntimeError> {
        Err(unsupported())
    }
}

fn unsupported() -> RuntimeError {
    RuntimeError::Unsupported("snapshots of volumes are not to be had here".to_owned())
}
