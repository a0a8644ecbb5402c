//! A volume, and the folder of its snapshots.

use crate::error::VolumeError;
use crate::files::{self, open_folder, open_path, own_folder, sync_folder};
use crate::id::SnapshotId;
use crate::keep::{Keep, age};
use crate::names::names_in;
use crate::remove::remove_own;
use crate::replace::now;
use crate::snapshot::Snapshot;
use crate::transfer::SENT;
use crate::{Result, snapshot};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat, renameat};
use rustix::io::Errno;
use std::path::Path;

const SNAPSHOTS: &str = ".snapshots";
const LOCK: &str = "lock";
/// Follows the id of a snapshot that is not whole.
pub(crate) const PART: &str = ".part";
/// Follows what is being removed.
const GONE: &str = ".gone";
const LONGEST_NAME: usize = 63;

/// A sandbox's volume, with its snapshots.
#[derive(Debug)]
pub struct Volume {
    pub(crate) folder: OwnedFd,
    pub(crate) path: String,
    pub(crate) name: String,
}

/// A folder of ours, such as that of a volume's snapshots. While it is locked, nobody else changes
/// what is in it.
#[derive(Debug)]
pub(crate) struct Store {
    pub folder: OwnedFd,
    pub path: String,
    _lock: Option<OwnedFd>,
}

impl Volume {
    /// The volume `name` in `folder`, whether it is there already or not.
    ///
    /// # Errors
    /// If it is no name of a volume, or the folder can't be opened.
    pub fn open(folder: &Path, name: &str) -> Result<Self> {
        Self::check_name(name)?;
        Ok(Self {
            folder: open_path(folder)?,
            path: folder.display().to_string(),
            name: name.to_owned(),
        })
    }

    /// Names are used as names of folders: one that is not strict may lead elsewhere.
    ///
    /// # Errors
    /// If it is no name of a volume.
    pub fn check_name(name: &str) -> Result<()> {
        let fits = name.len() <= LONGEST_NAME
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.ends_with('-')
            && name
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if fits {
            return Ok(());
        }
        Err(VolumeError::Name(name.to_owned()))
    }

    /// Its snapshots, oldest first.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>> {
        let Some(store) = self.store_if_there()? else {
            return Ok(Vec::new());
        };
        let mut snapshots = Vec::new();
        for id in store.ids()? {
            match store.open(&id) {
                Ok(folder) => {
                    snapshots.extend(Snapshot::read(folder.as_fd(), &store.at(id.as_str()))?);
                }
                // Removed just now.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(VolumeError::io("open", store.at(id.as_str()), error)),
            }
        }
        let now = now();
        snapshots.sort_by(|a, b| age(a.at, &a.id, now).cmp(&age(b.at, &b.id, now)));
        Ok(snapshots)
    }

    /// Removes a snapshot, also one that was only prepared, or what is known of a transfer.
    ///
    /// # Errors
    /// If there is none of that id, or it can't be removed.
    pub fn remove(&self, id: &SnapshotId) -> Result<()> {
        let store = self.locked()?;
        for unfinished in [PART, SENT].map(|kind| format!("{id}{kind}")) {
            if store.has(&unfinished) {
                return store.discard(&unfinished);
            }
        }
        if !store.has(id.as_str()) {
            return Err(self.no_snapshot(id));
        }
        store.discard(id.as_str())
    }

    /// Removes those that `keep` does not keep, but none that is in `held`; says which.
    ///
    /// # Errors
    /// If one can't be removed.
    pub fn prune(&self, keep: &Keep, held: &[SnapshotId]) -> Result<Vec<SnapshotId>> {
        let store = self.locked()?;
        let surplus = keep.surplus(&self.snapshots()?, held);
        let mut result = Ok(());
        for id in &surplus {
            // One that can't be removed keeps no other.
            result = store.discard(id.as_str()).and(result);
        }
        result.map(|()| surplus)
    }

    pub(crate) fn no_snapshot(&self, id: &SnapshotId) -> VolumeError {
        VolumeError::NoSnapshot {
            volume: self.name.clone(),
            id: id.clone(),
        }
    }

    pub(crate) fn tree_path(&self) -> String {
        format!("{}/{}", self.path, self.name)
    }

    /// The tree itself. It may be mounted there, and be no link.
    pub(crate) fn tree(&self) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = self.tree_path();
        openat(&self.folder, &self.name, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => VolumeError::NoVolume { path },
            Errno::NOTDIR | Errno::LOOP => VolumeError::NotAFolder { path },
            error => VolumeError::io("open", path, error),
        })
    }

    pub(crate) fn store_if_there(&self) -> Result<Option<Store>> {
        let path = format!("{}/{SNAPSHOTS}/{}", self.path, self.name);
        let opened = open_folder(&self.folder, SNAPSHOTS)
            .and_then(|snapshots| open_folder(&snapshots, &self.name));
        match opened {
            Ok(folder) => Ok(Some(Store::unlocked(folder, path))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(VolumeError::io("open", path, error)),
        }
    }

    /// Waits for its turn.
    pub(crate) fn locked(&self) -> Result<Store> {
        let all = own_folder(self.folder.as_fd(), SNAPSHOTS, &self.path)?;
        let above = format!("{}/{SNAPSHOTS}", self.path);
        let folder = own_folder(all.as_fd(), &self.name, &above)?;
        let store = Store::locked(folder, format!("{above}/{}", self.name))?;
        self.settle(&store)?;
        Ok(store)
    }
}

impl Store {
    /// To be looked into, or changed by who needs no turn.
    pub(crate) fn unlocked(folder: OwnedFd, path: String) -> Self {
        Self {
            folder,
            path,
            _lock: None,
        }
    }

    /// Waits for its turn.
    pub(crate) fn locked(folder: OwnedFd, path: String) -> Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = openat(&folder, LOCK, flags, Mode::RUSR | Mode::WUSR)
            .and_then(|lock| {
                flock(&lock, FlockOperation::LockExclusive)?;
                Ok(lock)
            })
            .map_err(|error| VolumeError::io("lock", format!("{path}/{LOCK}"), error))?;
        Ok(Self {
            folder,
            path,
            _lock: Some(lock),
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    pub(crate) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    pub(crate) fn open(&self, id: &SnapshotId) -> Result<OwnedFd, Errno> {
        open_folder(&self.folder, id.as_str())
    }

    /// Keeps others from working on it while what this gives lives; `WOULDBLOCK` if somebody does.
    pub(crate) fn try_turn(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = openat(&self.folder, LOCK, flags, Mode::empty())?;
        flock(&lock, FlockOperation::NonBlockingLockShared)?;
        Ok(lock)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        files::stat(&self.folder, name).is_ok()
    }

    /// The names in there.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        names_in(self.fd()).map_err(|error| VolumeError::io("read", &self.path, error))
    }

    fn ids(&self) -> Result<Vec<SnapshotId>> {
        let names = self.names()?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Removes what has that name: at once for all others, then in its own time.
    pub(crate) fn discard(&self, name: &str) -> Result<()> {
        let failed = |error| VolumeError::io("remove", self.at(name), error);
        let gone = format!("{name}{GONE}");
        self.discard_gone(&gone)?;
        match renameat(&self.folder, name, &self.folder, &gone) {
            Ok(()) => sync_folder(self.fd(), &self.path)?,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        self.discard_gone(&gone)
    }

    /// Goes on with what [`Store::discard`] left when it was interrupted.
    pub(crate) fn discard_gone(&self, gone: &str) -> Result<()> {
        remove_own(self.fd(), gone).map_err(|error| VolumeError::io("remove", self.at(gone), error))
    }

    /// Whether a name is what [`Store::discard`] left when it was interrupted.
    pub(crate) fn is_gone(name: &str) -> bool {
        name.ends_with(GONE)
    }

    /// Whether a name is that of the lock.
    pub(crate) fn is_lock(name: &str) -> bool {
        name == LOCK
    }

    /// Gives a whole snapshot its name.
    pub(crate) fn publish(&self, id: &SnapshotId) -> Result<()> {
        self.rename(&format!("{id}{PART}"), id.as_str())
    }

    /// A snapshot's tree.
    pub(crate) fn data(&self, id: &SnapshotId) -> Result<OwnedFd, Errno> {
        open_folder(self.open(id)?, snapshot::DATA)
    }
}
