//! Archives: whole volumes, put away after the last person who had them.
//!
//! ```text
//! <folder>/<id>/<role>/data/        the tree, unless there was none
//! <folder>/<id>/<role>/archive.json what it is, and how far it has come
//! <folder>/<id>.gone/               one that is being removed
//! ```
//!
//! An archive and a volume change places by a rename. Where that can't be, for another file system
//! or another project's quota, there is a whole copy of the tree in its new place before anything
//! of it leaves the old one. Each step is written down first: an order that was broken off is
//! finished by giving it again, and one that is done does nothing then.

mod back;
mod make;
mod owners;
mod record;

pub use record::Archived;
pub(crate) use record::{Phase, Record};

use crate::Result;
use crate::error::VolumeError;
use crate::files::{self, Inode, open_folder, open_path, own_folder, stat, sync_folder};
use crate::id::SnapshotId;
use crate::names::names_in;
use crate::snapshot::DATA;
use crate::volume::{Store, Volume};
use record::RECORD;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::path::Path;

/// The folder of all archives.
#[derive(Debug)]
pub struct Archives {
    all: Store,
}

/// Where one volume of an archive is. While this is there, nobody else works on it.
pub(crate) struct Place {
    pub store: Store,
}

impl Archives {
    /// Those in `folder`, which must be there.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self {
            all: Store::unlocked(open_path(folder)?, folder.display().to_string()),
        })
    }

    /// Removes an archive, of whichever volumes, or what is left of one. That there is none is well.
    ///
    /// # Errors
    /// If a volume is on its way into it or out of it, or it can't be removed.
    pub fn discard(&self, id: &SnapshotId) -> Result<()> {
        let mut places = Vec::new();
        if let Some(folder) = self.open_if_there(id)? {
            let names = names_in(folder.as_fd());
            let path = self.all.at(id.as_str());
            for name in names.map_err(|error| VolumeError::io("read", path, error))? {
                if let Some(place) = self.lock(id, &folder, &name)? {
                    place.refuse_moving(id)?;
                    places.push(place);
                }
            }
        }
        self.all.discard(id.as_str())
    }

    /// The place for a volume, which is made if it is not there.
    pub(crate) fn place(&self, id: &SnapshotId, role: &str) -> Result<Place> {
        loop {
            let folder = own_folder(self.all.fd(), id.as_str(), &self.all.path)?;
            own_folder(folder.as_fd(), role, &self.all.at(id.as_str()))?;
            sync_folder(folder.as_fd(), &self.all.at(id.as_str()))?;
            sync_folder(self.all.fd(), &self.all.path)?;
            if let Some(place) = self.lock(id, &folder, role)? {
                return Ok(place);
            }
        }
    }

    /// The same if it is there, with what is known of it.
    fn known(&self, id: &SnapshotId, volume: &Volume) -> Result<(Place, Record)> {
        let none = || VolumeError::NoArchive {
            volume: volume.name.clone(),
            id: id.clone(),
        };
        let folder = self.open_if_there(id)?.ok_or_else(none)?;
        let place = self
            .lock(id, &folder, role(&volume.name))?
            .ok_or_else(none)?;
        let record = place.read()?.ok_or_else(none)?;
        Ok((place, record))
    }

    fn open_if_there(&self, id: &SnapshotId) -> Result<Option<OwnedFd>> {
        match self.all.open(id) {
            Ok(folder) => Ok(Some(folder)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(VolumeError::io("open", self.all.at(id.as_str()), error)),
        }
    }

    /// Waits for its turn at one volume of an archive; none if that is gone then.
    fn lock(&self, id: &SnapshotId, folder: &OwnedFd, role: &str) -> Result<Option<Place>> {
        let path = format!("{}/{role}", self.all.at(id.as_str()));
        let opened = match open_folder(folder, role) {
            Ok(opened) => opened,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(VolumeError::io("open", path, error)),
        };
        let mine = stat(&opened, ".").map(|stat| Inode::of(&stat));
        let store = Store::locked(opened, path)?;
        // It may have been removed while this waited.
        let there = stat(&self.all.folder, format!("{id}/{role}")).map(|stat| Inode::of(&stat));
        Ok((mine.is_ok() && mine == there).then_some(Place { store }))
    }
}

impl Place {
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.store.fd()
    }

    pub(crate) fn read(&self) -> Result<Option<Record>> {
        files::read_json(self.fd(), RECORD, &self.store.path)
    }

    pub(crate) fn write(&self, record: &Record) -> Result<()> {
        files::write_json(self.fd(), RECORD, record, &self.store.path)
    }

    /// The tree, if it is in here: whole then, unless it is still received.
    pub(crate) fn data(&self) -> Result<Option<OwnedFd>> {
        match open_folder(self.fd(), DATA) {
            Ok(data) => Ok(Some(data)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(VolumeError::io("open", self.store.at(DATA), error)),
        }
    }

    fn refuse_moving(&self, id: &SnapshotId) -> Result<()> {
        match self.read()? {
            Some(record) if record.is_moving() => Err(VolumeError::ArchiveMoves {
                id: id.clone(),
                sandbox: record.sandbox,
            }),
            _ => Ok(()),
        }
    }
}

/// What tells a sandbox's volume from the other one of its archive: the last word of its name.
pub(crate) fn role(sandbox: &str) -> &str {
    let last = sandbox.rsplit('-').next();
    last.unwrap_or(sandbox)
}

impl Volume {
    /// The number of its inode, if there is one.
    fn inode(&self) -> Option<u64> {
        stat(&self.folder, &self.name).ok().map(|it| it.st_ino)
    }
}
