//! Bringing a volume back from an archive.

use super::make::copied;
use super::owners::give;
use super::record::{Archived, Phase, Record};
use super::{Archives, Place};
use crate::Result;
use crate::error::VolumeError;
use crate::files::{self, sync_folder};
use crate::id::SnapshotId;
use crate::names::names_in;
use crate::replace::{measure, stat};
use crate::snapshot::DATA;
use crate::volume::{PART, Store, Volume};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{renameat, syncfs};
use rustix::io::Errno;

impl Volume {
    /// Makes what was put away the volume, where there is none or an empty one. What belonged to the
    /// owner of the volume that it was belongs to the owner of this one.
    ///
    /// # Errors
    /// If there is no such archive, there is a volume with something in it, or no room for a copy
    /// that is needed: the order is good to be given again then. The volume is wholly in one of the
    /// two places, always.
    pub fn unarchive(&self, from: &Archives, id: &SnapshotId) -> Result<Archived> {
        let store = self.locked()?;
        let (place, mut record) = from.known(id, self)?;
        let is_back = match &record.phase {
            Phase::Kept => false,
            Phase::Receiving => return Err(VolumeError::ArchiveIncomplete { id: id.clone() }),
            Phase::Coming { .. } => {
                return Err(VolumeError::ArchiveMoves {
                    id: id.clone(),
                    sandbox: record.sandbox,
                });
            }
            Phase::Leaving { to, .. } | Phase::Left { to } if *to != self.name => {
                return Err(VolumeError::ArchiveElsewhere {
                    sandbox: to.clone(),
                });
            }
            Phase::Left { .. } => return Ok(record.archived()),
            Phase::Leaving { copy: None, .. } => place.data()?.is_none(),
            Phase::Leaving { copy, .. } => *copy == self.inode(),
        };
        if !is_back {
            self.bring_home(&store, &place, &mut record, id)?;
        }
        place.store.discard(DATA)?;
        store.discard(&format!("{id}{PART}"))?;
        let to = self.name.clone();
        record.phase = Phase::Left { to };
        place.write(&record)?;
        Ok(record.archived())
    }

    fn bring_home(
        &self,
        store: &Store,
        place: &Place,
        record: &mut Record,
        id: &SnapshotId,
    ) -> Result<()> {
        let Some(data) = place.data()? else {
            // The sandbox never ran.
            return Ok(());
        };
        let leaving = |copy| Phase::Leaving {
            to: self.name.clone(),
            copy,
        };
        let owner = self.owner_of_empty()?;
        record.phase = leaving(None);
        if let Some(owner) = owner {
            let before = record.owners.clone();
            record.add_owner(owner);
            place.write(record)?;
            give(&data, &before, owner)
                .and_then(|()| syncfs(&data))
                .map_err(|error| VolumeError::io("give away", place.store.at(DATA), error))?;
        } else {
            place.write(record)?;
        }
        match renameat(place.fd(), DATA, &self.folder, &self.name) {
            Ok(()) => {}
            Err(Errno::XDEV) => {
                let size = measure(&data, &place.store.path)?;
                let tree = (&data, &*place.store.path);
                let part = copied(store, id, &self.name, tree, &size)?;
                record.phase = leaving(Some(stat(&part.data, &part.path)?.st_ino));
                place.write(record)?;
                renameat(&part.folder, DATA, &self.folder, &self.name)
                    .map_err(|error| self.not_back(error))?;
            }
            Err(error) => return Err(self.not_back(error)),
        }
        sync_folder(self.folder.as_fd(), &self.path)?;
        sync_folder(place.fd(), &place.store.path)
    }

    /// Whose the volume is, if there is one; it must be empty.
    fn owner_of_empty(&self) -> Result<Option<(u32, u32)>> {
        let tree: OwnedFd = match self.tree() {
            Ok(tree) => tree,
            Err(VolumeError::NoVolume { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let names = names_in(tree.as_fd());
        let path = self.tree_path();
        match names.map_err(|error| VolumeError::io("read", &path, error))? {
            names if names.is_empty() => {
                let root = files::stat(&tree, ".");
                let root = root.map_err(|error| VolumeError::io("look at", &path, error))?;
                Ok(Some((root.st_uid, root.st_gid)))
            }
            _ => Err(VolumeError::NotEmpty { path }),
        }
    }

    fn not_back(&self, error: Errno) -> VolumeError {
        let path = self.tree_path();
        match error {
            Errno::NOTEMPTY | Errno::EXIST => VolumeError::NotEmpty { path },
            error => VolumeError::io("bring back", path, error),
        }
    }
}
