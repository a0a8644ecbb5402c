//! Backups of a volume that was put away: out of sight for whoever has its name next, and removed
//! with its archive.

use super::{Backups, LATEST};
use crate::Result;
use crate::error::VolumeError;
use crate::files::{own_folder, sync_folder};
use crate::id::SnapshotId;
use crate::names::names_in;
use crate::remove::remove_own;
use crate::volume::{PART, Store};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::renameat;

const ARCHIVED: &str = ".archived";

impl Backups {
    /// Puts all that there are away, with the archive of this id.
    ///
    /// # Errors
    /// If they can't be moved; it is good to be asked for again then.
    pub fn put_away(&self, id: &SnapshotId) -> Result<()> {
        let store = self.locked()?;
        // Of a run that was broken off.
        for name in store.names()?.iter().filter(|name| name.ends_with(PART)) {
            store.discard(name)?;
        }
        let into = archived(&store, id)?;
        carry(store.fd(), into.as_fd(), &store.path)?;
        store.discard(LATEST)
    }

    /// Brings those back that are with the archive of this id.
    ///
    /// # Errors
    /// If they can't be moved; it is good to be asked for again then.
    pub fn bring_back(&self, id: &SnapshotId) -> Result<()> {
        let store = self.locked()?;
        let from = archived(&store, id)?;
        carry(from.as_fd(), store.fd(), &store.path)?;
        remove(&store, id)
    }

    /// Removes those that are with the archive of this id.
    ///
    /// # Errors
    /// If they can't be removed; it is good to be asked for again then.
    pub fn discard_archived(&self, id: &SnapshotId) -> Result<()> {
        remove(&self.locked()?, id)
    }
}

fn archived(store: &Store, id: &SnapshotId) -> Result<OwnedFd> {
    let all = own_folder(store.fd(), ARCHIVED, &store.path)?;
    own_folder(all.as_fd(), id.as_str(), &store.at(ARCHIVED))
}

/// Moves the backups that are in one of two folders to the other.
fn carry(from: BorrowedFd<'_>, into: BorrowedFd<'_>, path: &str) -> Result<()> {
    let failed = |error| VolumeError::io("move backups in", path, error);
    for name in names_in(from).map_err(failed)? {
        if name.parse::<SnapshotId>().is_ok() {
            renameat(from, &name, into, &name).map_err(failed)?;
        }
    }
    sync_folder(into, path)?;
    sync_folder(from, path)
}

fn remove(store: &Store, id: &SnapshotId) -> Result<()> {
    let all = own_folder(store.fd(), ARCHIVED, &store.path)?;
    remove_own(all.as_fd(), id.as_str())
        .map_err(|error| VolumeError::io("remove", store.at(ARCHIVED), error))
}
