//! Giving a tree that is at rest to another owner.

use crate::files::{Inode, open_folder, stat};
use crate::names::{Names, Reader};
use crate::trail::Trail;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, Stat, Uid, chmodat, chownat, fstat};
use rustix::io::Errno;
use std::ffi::CStr;

/// Gives what is one of these owners' to `to`, each link and not what it leads to. Files of others,
/// such as root's inside, stay theirs. Nothing else may use the tree.
pub(super) fn give(root: &OwnedFd, from: &[(u32, u32)], to: (u32, u32)) -> Result<(), Errno> {
    if from.iter().all(|owner| *owner == to) {
        return Ok(());
    }
    let change = Change { from, to };
    let mut reader = Reader::default();
    let mut trail = Trail::new(open_folder(root, ".")?)?;
    change.one(trail.here(), c".", &fstat(root)?)?;
    let mut levels = vec![change.here(&trail, &mut reader)?];
    while let Some(folders) = levels.last_mut() {
        if let Some(name) = folders.pop() {
            let folder = open_folder(trail.here(), &name)?;
            let inode = Inode::of(&fstat(&folder)?);
            trail.enter(folder, inode);
            levels.push(change.here(&trail, &mut reader)?);
        } else {
            levels.pop();
            trail.back()?;
        }
    }
    Ok(())
}

struct Change<'a> {
    from: &'a [(u32, u32)],
    to: (u32, u32),
}

impl Change<'_> {
    /// What is in the current folder; the names of the folders in there.
    fn here(&self, trail: &Trail, reader: &mut Reader) -> Result<Names, Errno> {
        let mut folders = Names::default();
        reader.each(trail.here(), |name, _| {
            let about = stat(trail.here(), name)?;
            self.one(trail.here(), name, &about)?;
            if FileType::from_raw_mode(about.st_mode) == FileType::Directory {
                folders.push(name);
            }
            Ok::<(), Errno>(())
        })?;
        Ok(folders)
    }

    fn one(&self, at: BorrowedFd<'_>, name: &CStr, about: &Stat) -> Result<(), Errno> {
        let is_user = self.from.iter().any(|(user, _)| *user == about.st_uid);
        let is_group = self.from.iter().any(|(_, group)| *group == about.st_gid);
        let user = (is_user && about.st_uid != self.to.0).then(|| Uid::from_raw(self.to.0));
        let group = (is_group && about.st_gid != self.to.1).then(|| Gid::from_raw(self.to.1));
        if user.is_none() && group.is_none() {
            return Ok(());
        }
        chownat(at, name, user, group, AtFlags::SYMLINK_NOFOLLOW)?;
        // That takes away what lets a program run as its owner.
        let mode = Mode::from_raw_mode(about.st_mode & 0o7777);
        let is_file = FileType::from_raw_mode(about.st_mode) == FileType::RegularFile;
        if is_file && mode.intersects(Mode::SUID | Mode::SGID) {
            chmodat(at, name, mode, AtFlags::empty())?;
        }
        Ok(())
    }
}
