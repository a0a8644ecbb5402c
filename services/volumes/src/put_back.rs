//! Putting a snapshot itself in its volume's place, without a copy: it takes neither room nor time.

use crate::Result;
use crate::error::VolumeError;
use crate::files::{self, sync_folder};
use crate::id::SnapshotId;
use crate::replace::{RECORD, Record, aside_of, measure, stat};
use crate::snapshot::{DATA, Snapshot};
use crate::spare;
use crate::volume::{PART, Store, Volume};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, renameat, unlinkat};
use rustix::io::Errno;

impl Volume {
    /// Makes a snapshot of this volume the volume, in one step: it is none any longer then, and
    /// what was there becomes the snapshot `aside`. Whatever uses the volume must be stopped.
    ///
    /// # Errors
    /// If there is no such snapshot, or the two can't change places. Both are as they were then.
    pub fn put_back(&self, id: &SnapshotId, aside: &SnapshotId) -> Result<Snapshot> {
        let store = self.locked()?;
        if store.has(aside.as_str()) {
            return Err(VolumeError::Exists {
                volume: self.name.clone(),
                id: aside.clone(),
            });
        }
        let folder = store.open(id).map_err(|error| match error {
            Errno::NOENT => self.no_snapshot(id),
            error => VolumeError::io("open", store.at(id.as_str()), error),
        })?;
        let tree = self.tree()?;
        let data = files::open_folder(&folder, DATA)
            .map_err(|error| VolumeError::io("open", store.at(id.as_str()), error))?;
        let record = Record {
            copy: stat(&data, &store.path)?.st_ino,
            old: stat(&tree, &self.tree_path())?.st_ino,
            was: Some(id.clone()),
        };
        spare::write(folder.as_fd(), RECORD, || {
            files::write_json(folder.as_fd(), RECORD, &record, &store.path)
        })?;
        let part = format!("{aside}{PART}");
        store.rename(id.as_str(), &part)?;
        if let Err(error) = self.exchange(folder.as_fd()) {
            store.take_put_back_back(folder.as_fd(), id, aside)?;
            return Err(error);
        }
        self.finish_put_back(&store, folder.as_fd(), aside)
    }

    /// After the two have changed places.
    pub(crate) fn finish_put_back(
        &self,
        store: &Store,
        folder: BorrowedFd<'_>,
        aside: &SnapshotId,
    ) -> Result<Snapshot> {
        let data = files::open_folder(folder, DATA)
            .map_err(|error| VolumeError::io("open", store.at(aside.as_str()), error))?;
        let snapshot = aside_of(aside, &measure(&data, &store.path)?);
        snapshot.write(folder, &store.path)?;
        self.put_aside(store, folder, aside)?;
        Ok(snapshot)
    }
}

impl Store {
    /// Before they have: the snapshot is what it was.
    pub(crate) fn take_put_back_back(
        &self,
        folder: BorrowedFd<'_>,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<()> {
        self.rename(&format!("{aside}{PART}"), id.as_str())?;
        // It says nothing any more now that the snapshot has its name.
        let _ = unlinkat(folder, RECORD, AtFlags::empty());
        sync_folder(folder, &self.path)
    }

    /// One name for another, durably.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        renameat(&self.folder, from, &self.folder, to)
            .map_err(|error| VolumeError::io("rename", self.at(from), error))?;
        sync_folder(self.fd(), &self.path)
    }
}
