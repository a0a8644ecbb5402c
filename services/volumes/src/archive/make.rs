//! Putting a volume away.

use super::record::{Archived, Phase, Record};
use super::{Archives, Place, role};
use crate::Result;
use crate::backup::Backups;
use crate::error::VolumeError;
use crate::files::sync_folder;
use crate::id::SnapshotId;
use crate::measure::Measure;
use crate::remove::remove_own;
use crate::replace::{copy, measure, now, stat};
use crate::room::Room;
use crate::snapshot::DATA;
use crate::take::Part;
use crate::volume::{PART, Store, Volume};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::renameat;
use rustix::io::Errno;

impl Volume {
    /// Puts the volume away as it is, and then its snapshots out of the world and its backups out of
    /// sight: whoever has the volume's name next finds nothing. Nothing may use the volume. One that
    /// was on its way back, or is back, is put away again.
    ///
    /// # Errors
    /// If there is no room for a copy that is needed, or something can't be moved: the order is good
    /// to be given again then. The volume is wholly in one of the two places, always.
    pub fn archive(
        &self,
        to: &Archives,
        backups: Option<&Backups>,
        id: &SnapshotId,
    ) -> Result<Archived> {
        let store = self.locked()?;
        let place = to.place(id, role(&self.name))?;
        let record = match place.read()? {
            // What is half received is of no volume, and is as well away.
            Some(record) if matches!(record.phase, Phase::Kept | Phase::Receiving) => {
                return Ok(record.archived());
            }
            Some(record) => self.go_on(&place, record)?,
            None => None,
        };
        let mut record = match record {
            Some(record) => record,
            None => self.put_away(&place, id)?,
        };
        if let Phase::Coming { copy_of } = &record.phase {
            self.remove_copied(*copy_of)?;
            remove_snapshots(&store)?;
            if let Some(backups) = backups {
                backups.put_away(id)?;
            }
        }
        let part = format!("{id}{PART}");
        store.discard(&part)?;
        place.store.discard(&part)?;
        record.phase = Phase::Kept;
        place.write(&record)?;
        Ok(record.archived())
    }

    /// What an order before has left: nothing if the volume is still to be put away.
    fn go_on(&self, place: &Place, record: Record) -> Result<Option<Record>> {
        let is_here = place.data()?.is_some();
        let is_ours = |to: &String| *to == self.name;
        match &record.phase {
            Phase::Coming { .. } if !is_here => Ok(None),
            Phase::Leaving { to, copy } if is_here && (is_ours(to) || copy.is_none()) => {
                // The copy was used by nobody yet.
                self.remove_copied(*copy)?;
                Ok(Some(record))
            }
            Phase::Leaving { to, .. } | Phase::Left { to } if !is_ours(to) => {
                Err(VolumeError::ArchiveElsewhere {
                    sandbox: to.clone(),
                })
            }
            Phase::Leaving { .. } | Phase::Left { .. } => Ok(None),
            Phase::Coming { .. } | Phase::Kept | Phase::Receiving => Ok(Some(record)),
        }
    }

    fn put_away(&self, place: &Place, id: &SnapshotId) -> Result<Record> {
        let tree = match self.tree() {
            Ok(tree) => Some(tree),
            // A sandbox that never ran has none.
            Err(VolumeError::NoVolume { .. }) => None,
            Err(error) => return Err(error),
        };
        let mut record = Record {
            sandbox: self.name.clone(),
            at: now(),
            bytes: 0,
            files: 0,
            owners: place.read()?.map(|it| it.owners).unwrap_or_default(),
            phase: Phase::Coming { copy_of: None },
            received: false,
        };
        let Some(tree) = tree else {
            place.write(&record)?;
            return Ok(record);
        };
        let (root, size) = (
            stat(&tree, &self.tree_path())?,
            measure(&tree, &self.tree_path())?,
        );
        (record.bytes, record.files) = (size.bytes, size.files);
        record.add_owner((root.st_uid, root.st_gid));
        place.write(&record)?;
        match renameat(&self.folder, &self.name, place.fd(), DATA) {
            Ok(()) => {
                sync_folder(place.fd(), &place.store.path)?;
                sync_folder(self.folder.as_fd(), &self.path)?;
            }
            Err(Errno::XDEV) => {
                record.phase = Phase::Coming {
                    copy_of: Some(root.st_ino),
                };
                self.copy_to(place, id, (&tree, &size), &record)?;
            }
            Err(error) => return Err(VolumeError::io("archive", self.tree_path(), error)),
        }
        Ok(record)
    }

    fn copy_to(
        &self,
        place: &Place,
        id: &SnapshotId,
        (tree, size): (&OwnedFd, &Measure),
        record: &Record,
    ) -> Result<()> {
        let tree = (tree, &*self.tree_path());
        let part = copied(&place.store, id, &self.name, tree, size)?;
        place.write(record)?;
        renameat(&part.folder, DATA, place.fd(), DATA)
            .map_err(|error| VolumeError::io("archive", self.tree_path(), error))?;
        sync_folder(place.fd(), &place.store.path)
    }

    /// Removes the volume that has this inode, if there is one: there is a copy of it.
    fn remove_copied(&self, inode: Option<u64>) -> Result<()> {
        if inode.is_none() || inode != self.inode() {
            return Ok(());
        }
        let removed = remove_own(self.folder.as_fd(), &self.name);
        removed.map_err(|error| VolumeError::io("remove", self.tree_path(), error))?;
        sync_folder(self.folder.as_fd(), &self.path)
    }
}

/// A whole copy of a tree of this size, durable, in a part of its own.
pub(super) fn copied(
    store: &Store,
    id: &SnapshotId,
    volume: &str,
    tree: (&OwnedFd, &str),
    size: &Measure,
) -> Result<Part> {
    let name = format!("{id}{PART}");
    store.discard(&name)?;
    let room = Room::new(store.fd(), volume, &store.path);
    let made = Part::open(store, id).and_then(|part| {
        part.finish(&copy(&part, &room, tree, size)?)?;
        Ok(part)
    });
    made.map_err(|error| {
        // What it says is worth more than that something is left for the next order.
        let _ = store.discard(&name);
        room.told(error)
    })
}

fn remove_snapshots(store: &Store) -> Result<()> {
    for name in store.names()? {
        if Store::is_gone(&name) {
            store.discard_gone(&name)?;
        } else if !Store::is_lock(&name) {
            store.discard(&name)?;
        }
    }
    Ok(())
}
