//! Putting a copy of a snapshot in a volume's place.

use crate::Result;
use crate::attributes::Attributes;
use crate::error::VolumeError;
use crate::files::{self, Inode, sync_folder};
use crate::fresh::Fresh;
use crate::id::SnapshotId;
use crate::measure::Measure;
use crate::pass::{Kind, Pass};
use crate::room::Room;
use crate::snapshot::{DATA, Reason, Snapshot};
use crate::take::{Part, duplicate};
use crate::volume::{PART, Store, Volume};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, RenameFlags, fstat, mkdirat, renameat_with, unlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// The file in an unfinished snapshot which says that a volume and a copy change places.
pub(crate) const RECORD: &str = "replace.json";

/// Which is which, by the numbers of their inodes: those stay when the two change places.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub copy: u64,
    pub old: u64,
    /// The snapshot that the copy was, if it was no copy but that.
    #[serde(default)]
    pub was: Option<SnapshotId>,
}

impl Volume {
    /// Makes the volume a copy of a snapshot of `from`, in one step: it is wholly the old or
    /// wholly the new at each moment, also after a crash (see [`Volume::recover`]). What was
    /// there becomes the snapshot `aside`. Whatever uses the volume must be stopped.
    ///
    /// # Errors
    /// If there is no such snapshot, no room, or a file can't be copied. The volume is as it
    /// was then.
    pub fn replace(&self, from: &Self, id: &SnapshotId, aside: &SnapshotId) -> Result<Snapshot> {
        let store = self.locked()?;
        if store.has(aside.as_str()) {
            return Err(VolumeError::Exists {
                volume: self.name.clone(),
                id: aside.clone(),
            });
        }
        let name = format!("{aside}{PART}");
        store.discard(&name)?;
        let room = Room::new(store.fd(), &self.name, &store.path);
        let ready = self.ready(&store, &room, from, (id, aside));
        let exchanged = ready.and_then(|(part, snapshot)| {
            self.exchange(part.folder.as_fd())?;
            Ok((part, snapshot))
        });
        match exchanged {
            Ok((part, snapshot)) => {
                self.put_aside(&store, part.folder.as_fd(), aside)?;
                Ok(snapshot)
            }
            Err(error) => {
                // What it says is worth more than that something is left for `recover`.
                let _ = store.discard(&name);
                Err(room.told(error))
            }
        }
    }

    /// Makes all that is needed, and durable: then the two can change places.
    fn ready(
        &self,
        store: &Store,
        room: &Room<'_>,
        from: &Self,
        (id, aside): (&SnapshotId, &SnapshotId),
    ) -> Result<(Part, Snapshot)> {
        let theirs = from.store_if_there()?.ok_or_else(|| from.no_snapshot(id))?;
        let data = theirs.data(id).map_err(|error| match error {
            Errno::NOENT => from.no_snapshot(id),
            error => VolumeError::io("open", theirs.at(id.as_str()), error),
        })?;
        let tree = self.tree_or_new()?;
        let (old, was) = (
            stat(&tree, &self.tree_path())?,
            measure(&tree, &self.tree_path())?,
        );
        let part = Part::open(store, aside)?;
        let size = measure(&data, &theirs.path)?;
        let fresh = copy(&part, room, (&data, &theirs.path), &size)?;
        // It is renamed before anything in it is removed: then what was copied was whole.
        let unchanged = theirs.data(id).and_then(fstat);
        if unchanged.ok().map(|now| Inode::of(&now)) != Some(Inode::of(&stat(&data, &theirs.path)?))
        {
            return Err(from.no_snapshot(id));
        }
        Attributes::of(&old)
            .give(tree.as_fd(), part.data.as_fd())
            .map_err(|error| VolumeError::io("write", &part.path, error))?;
        part.finish(&fresh)?;
        let snapshot = aside_of(aside, &was);
        snapshot.write(part.folder.as_fd(), &part.path)?;
        let record = Record {
            copy: stat(&part.data, &part.path)?.st_ino,
            old: old.st_ino,
            was: None,
        };
        files::write_json(part.folder.as_fd(), RECORD, &record, &part.path)?;
        sync_folder(store.fd(), &store.path)?;
        Ok((part, snapshot))
    }

    /// A sandbox that never ran has an empty one.
    fn tree_or_new(&self) -> Result<OwnedFd> {
        match mkdirat(&self.folder, &self.name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => self.tree(),
            Err(error) => Err(VolumeError::io("make", self.tree_path(), error)),
        }
    }

    pub(crate) fn exchange(&self, part: BorrowedFd<'_>) -> Result<()> {
        let exchange = RenameFlags::EXCHANGE;
        renameat_with(part, DATA, &self.folder, &self.name, exchange).map_err(|error| match error {
            Errno::INVAL | Errno::XDEV | Errno::BUSY | Errno::NOSYS | Errno::OPNOTSUPP => {
                VolumeError::CannotExchange {
                    path: self.tree_path(),
                    cause: error.to_string(),
                }
            }
            error => VolumeError::io("replace", self.tree_path(), error),
        })
    }

    /// After the two have changed places: makes that durable, and what was there a snapshot.
    pub(crate) fn put_aside(
        &self,
        store: &Store,
        part: BorrowedFd<'_>,
        aside: &SnapshotId,
    ) -> Result<()> {
        sync_folder(self.folder.as_fd(), &self.path)?;
        sync_folder(part, &store.path)?;
        store.publish(aside)?;
        // It says nothing any more once the snapshot has its name.
        let _ = unlinkat(part, RECORD, AtFlags::empty());
        Ok(())
    }
}

/// In milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// What there is to say of a volume that is put aside now.
pub(crate) fn aside_of(aside: &SnapshotId, was: &Measure) -> Snapshot {
    Snapshot {
        id: aside.clone(),
        at: now(),
        reason: Reason::Aside,
        bytes: was.bytes,
        files: was.files,
        frozen_ms: 0.0,
        shares_blocks: false,
        left_out: 0,
    }
}

/// Copies a tree of this size that is at rest, whole.
pub(crate) fn copy(
    part: &Part,
    room: &Room<'_>,
    (tree, path): (&OwnedFd, &str),
    size: &Measure,
) -> Result<Fresh> {
    room.check(size, part.shares_with(tree.as_fd())?)?;
    let mut pass = Pass::new(
        duplicate(tree.as_fd(), path)?,
        part.copy_of_data()?,
        Kind::Only,
        part.place(true, room)?,
    )?;
    pass.run()?;
    Ok(pass.fresh)
}

pub(crate) fn stat(folder: &OwnedFd, path: &str) -> Result<rustix::fs::Stat> {
    fstat(folder).map_err(|error| VolumeError::io("look at", path, error))
}

pub(crate) fn measure(tree: &OwnedFd, path: &str) -> Result<Measure> {
    Measure::of(duplicate(tree.as_fd(), path)?)
        .map_err(|error| VolumeError::io("look through", path, error))
}
