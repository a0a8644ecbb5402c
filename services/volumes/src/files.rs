//! Folders and small files, opened so that no name leads elsewhere.

use crate::Result;
use crate::error::VolumeError;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, Stat, fsync, mkdirat, openat, openat2, renameat,
    statat,
};
use rustix::io::Errno;
use rustix::path::Arg;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// Which inode it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Inode {
    pub dev: u64,
    pub ino: u64,
}

impl Inode {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
        }
    }
}

/// Opens a folder by a path that is ours.
pub(crate) fn open_path(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty())
        .map_err(|error| VolumeError::io("open", path.display().to_string(), error))
}

/// Opens a folder in there: neither through a link nor on another mount.
pub(crate) fn open_folder(at: impl AsFd, name: impl Arg) -> Result<OwnedFd, Errno> {
    openat2(
        at,
        name,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::BENEATH
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::NO_XDEV,
    )
}

/// Of the name itself, where it is a link.
pub(crate) fn stat(at: impl AsFd, name: impl Arg) -> Result<Stat, Errno> {
    statat(at, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// Opens a folder of our own, and makes it if it is not there.
pub(crate) fn own_folder(at: BorrowedFd<'_>, name: &str, path: &str) -> Result<OwnedFd> {
    match mkdirat(at, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(VolumeError::io("make", format!("{path}/{name}"), error)),
    }
    open_folder(at, name).map_err(|error| VolumeError::io("open", format!("{path}/{name}"), error))
}

/// Reads a file of our own; `None` if there is none.
pub(crate) fn read(at: BorrowedFd<'_>, name: &str, path: &str) -> Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match openat(at, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(VolumeError::io("open", format!("{path}/{name}"), error)),
    };
    let mut bytes = Vec::new();
    File::from(file)
        .read_to_end(&mut bytes)
        .map_err(|error| VolumeError::io("read", format!("{path}/{name}"), error))?;
    Ok(Some(bytes))
}

pub(crate) fn read_json<T: DeserializeOwned>(
    at: BorrowedFd<'_>,
    name: &str,
    path: &str,
) -> Result<Option<T>> {
    let Some(bytes) = read(at, name, path)? else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| VolumeError::io("understand", format!("{path}/{name}"), error))
}

/// What a file of our own is called until it is whole.
pub(crate) fn new_name(name: &str) -> String {
    format!("{name}.new")
}

/// Writes a file of our own, whole or not at all, and as durable as the file system has it.
pub(crate) fn write(at: BorrowedFd<'_>, name: &str, bytes: &[u8], path: &str) -> Result<()> {
    let failed = |error| VolumeError::io("write", format!("{path}/{name}"), error);
    let new = new_name(name);
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file =
        openat(at, &new, flags, Mode::RUSR | Mode::WUSR).map_err(|error| failed(error.into()))?;
    let mut file = File::from(file);
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    renameat(at, &new, at, name).map_err(|error| failed(error.into()))?;
    sync_folder(at, path)
}

pub(crate) fn write_json(
    at: BorrowedFd<'_>,
    name: &str,
    value: &impl Serialize,
    path: &str,
) -> Result<()> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| VolumeError::io("write", format!("{path}/{name}"), error))?;
    write(at, name, &bytes, path)
}

/// Makes names durable: those made, renamed and removed in the folder.
pub(crate) fn sync_folder(folder: BorrowedFd<'_>, path: &str) -> Result<()> {
    fsync(folder).map_err(|error| VolumeError::io("sync", path, error))
}
