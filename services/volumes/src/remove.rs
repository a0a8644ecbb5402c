//! Removing a tree, however large or deep.

use crate::files::{Inode, open_folder};
use crate::names::{Names, Reader};
use crate::trail::Trail;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, chmodat, fchmod, fstat, unlinkat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};

/// Removes what is called `name`, with all that is in it; nothing is followed or opened but
/// folders. That there is no such thing is well.
pub(crate) fn remove(at: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
    let root = match open(at, name) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => return unlinkat(at, name, AtFlags::empty()),
        other => other?,
    };
    let mut reader = Reader::default();
    let mut trail = Trail::new(root)?;
    let mut levels = vec![(name.to_owned(), empty(&trail, &mut reader)?)];
    while let Some((_, folders)) = levels.last_mut() {
        if let Some(name) = folders.pop() {
            let folder = open(trail.here(), &name)?;
            let inode = Inode::of(&fstat(&folder)?);
            trail.enter(folder, inode);
            let folders = empty(&trail, &mut reader)?;
            levels.push((name, folders));
        } else if let Some((name, _)) = levels.pop() {
            let parent = if trail.back()? { trail.here() } else { at };
            unlink(parent, &name, AtFlags::REMOVEDIR)?;
        }
    }
    Ok(())
}

/// Removes all but the folders in the current one, whose names it gives.
fn empty(trail: &Trail, reader: &mut Reader) -> Result<Names, Errno> {
    let mut folders = Names::default();
    reader.each(trail.here(), |name, kind| {
        if kind == FileType::Directory {
            folders.push(name);
            return Ok(());
        }
        match unlink(trail.here(), name, AtFlags::empty()) {
            Err(Errno::ISDIR) => folders.push(name),
            other => other?,
        }
        Ok::<(), Errno>(())
    })?;
    Ok(folders)
}

/// Its mode may keep us from what is ours.
fn open(at: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    match open_folder(at, name) {
        Err(Errno::ACCESS) => {
            chmodat(at, name, Mode::RWXU, AtFlags::empty())?;
            open_folder(at, name)
        }
        other => other,
    }
}

fn unlink(at: BorrowedFd<'_>, name: &CStr, flags: AtFlags) -> Result<(), Errno> {
    match unlinkat(at, name, flags) {
        Err(Errno::ACCESS) => {
            fchmod(at.as_fd(), Mode::RWXU)?;
            unlinkat(at, name, flags)
        }
        other => other,
    }
}

/// The same of a name of our own.
pub(crate) fn remove_own(at: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    remove(at, &name)
}
