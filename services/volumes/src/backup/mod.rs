//! Backups: whole copies of a volume in a folder of their own, which may be on another disk.
//!
//! ```text
//! <folder>/<id>/      a backup: data/ (the tree) and backup.json
//! <folder>/<id>.part/ one that is being made
//! <folder>/latest     a link to the newest
//! <folder>/.archived/<id>/ those of a volume that was put away in that archive
//! ```
//!
//! A file that did not change since the backup before is that one's file, by another name: so a
//! backup is whole, and costs what changed. What was written by a sandbox is in `data/` alone.

mod away;
mod check;
mod databases;
mod import;
mod make;
mod older;

pub use check::Check;
pub(crate) use older::Older;

use crate::error::VolumeError;
use crate::files::{open_folder, open_path, read_json, sync_folder};
use crate::id::SnapshotId;
use crate::keep::age;
use crate::names::names_in;
use crate::replace::now;
use crate::snapshot::DATA;
use crate::volume::Store;
use crate::{Result, files};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{renameat, symlinkat, unlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The file in a backup's folder that says what it is.
const ABOUT: &str = "backup.json";
/// The link to the newest.
const LATEST: &str = "latest";

/// A volume as it was at one moment, kept apart from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// What it is called.
    pub id: SnapshotId,
    /// The moment, in milliseconds since 1970.
    pub at: u64,
    /// How much data it holds; holes in files don't count.
    pub bytes: u64,
    /// How many files, links and FIFOs.
    pub files: u64,
    /// How much of the data is new: not in the backup before.
    pub new_bytes: u64,
    /// How many devices, sockets and mounted file systems are not in it.
    pub left_out: u64,
    /// How long what writes to the volume was held still for it.
    pub frozen_ms: f64,
    /// The `SQLite` databases in it.
    pub databases: Vec<Database>,
}

/// A `SQLite` database in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Where it is in there, for people.
    pub file: String,
    /// What is wrong with it, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Backup {
    /// Whether every database in it is whole.
    pub fn is_whole(&self) -> bool {
        self.databases.iter().all(|it| it.fault.is_none())
    }

    /// What is wrong, in one line for people.
    fn faults(&self) -> String {
        const MOST: usize = 5;
        let faulty = || self.databases.iter().filter(|it| it.fault.is_some());
        let mut said: Vec<_> = faulty()
            .take(MOST)
            .map(|it| format!("{} {}", it.file, it.fault.as_deref().unwrap_or_default()))
            .collect();
        let more = faulty().count() - said.len();
        if more > 0 {
            said.push(format!("and {more} more"));
        }
        said.join("; ")
    }
}

/// The folder of one volume's backups.
#[derive(Debug)]
pub struct Backups {
    folder: OwnedFd,
    path: PathBuf,
}

impl Backups {
    /// The backups in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be opened or made.
    pub fn open(folder: &Path) -> Result<Self> {
        let failed = |error| VolumeError::io("make", folder.display().to_string(), error);
        match std::fs::DirBuilder::new().mode(0o700).create(folder) {
            // Whoever checks databases as another user must come through, and sees no names.
            Ok(()) => std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))
                .map_err(failed)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(Self {
            folder: open_path(folder)?,
            path: folder.to_owned(),
        })
    }

    /// Those that are whole, oldest first.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn list(&self) -> Result<Vec<Backup>> {
        let path = self.path.display().to_string();
        let names = names_in(self.folder.as_fd());
        let names = names.map_err(|error| VolumeError::io("read", &path, error))?;
        let mut backups = Vec::new();
        for id in names.iter().filter_map(|it| it.parse::<SnapshotId>().ok()) {
            match open_folder(&self.folder, id.as_str()) {
                Ok(folder) => {
                    backups.extend(Backup::read(folder.as_fd(), &format!("{path}/{id}"))?);
                }
                // Removed just now.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(VolumeError::io("open", format!("{path}/{id}"), error)),
            }
        }
        let now = now();
        backups.sort_by(|a, b| age(a.at, &a.id, now).cmp(&age(b.at, &b.id, now)));
        Ok(backups)
    }

    /// Waits for its turn.
    fn locked(&self) -> Result<Store> {
        let path = self.path.display().to_string();
        let folder = open_folder(&self.folder, ".");
        let folder = folder.map_err(|error| VolumeError::io("open", &path, error))?;
        Store::locked(folder, path)
    }
}

impl Backup {
    fn read(folder: BorrowedFd<'_>, path: &str) -> Result<Option<Self>> {
        read_json(folder, ABOUT, path)
    }

    fn write(&self, folder: BorrowedFd<'_>, path: &str) -> Result<()> {
        files::write_json(folder, ABOUT, self, path)
    }
}

/// Has `latest` lead to the newest of all.
fn lead_to_latest(store: &Store, newest: &SnapshotId) -> Result<()> {
    let new = format!("{LATEST}.new");
    let _ = unlinkat(store.fd(), &new, rustix::fs::AtFlags::empty());
    symlinkat(newest.as_str(), store.fd(), &new)
        .and_then(|()| renameat(store.fd(), &new, store.fd(), LATEST))
        .map_err(|error| VolumeError::io("write", store.at(LATEST), error))?;
    sync_folder(store.fd(), &store.path)
}

/// A backup's tree.
fn data(store: &Store, id: &SnapshotId) -> Result<OwnedFd, Errno> {
    open_folder(store.open(id)?, DATA)
}
