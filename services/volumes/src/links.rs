//! Files with several names, which have several names in the copy as well.

use crate::files::{Inode, stat};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, linkat, renameat};
use rustix::io::Errno;
use std::ffi::CStr;

/// A folder in which each such file's copy has one more name, made of the number of the
/// original's inode: so their number takes no memory, and their paths may have any length.
pub(crate) struct Links(pub OwnedFd);

impl Links {
    pub(crate) fn name(inode: Inode) -> String {
        format!("{:x}-{:x}", inode.dev, inode.ino)
    }

    /// Gives the copy of `original` another name; false if there is none yet.
    pub(crate) fn link(
        &self,
        original: Inode,
        at: BorrowedFd<'_>,
        name: &CStr,
    ) -> Result<bool, Errno> {
        let known = Self::name(original);
        match linkat(&self.0, &known, at, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            // The last that the file system allows: ours was one more than the original has.
            Err(Errno::MLINK) => renameat(&self.0, &known, at, name).map(|()| true),
            Err(error) => Err(error),
        }
    }

    /// Remembers that `name` is the copy of `original`. False if another file is that.
    pub(crate) fn add(
        &self,
        original: Inode,
        at: BorrowedFd<'_>,
        name: &CStr,
    ) -> Result<Added, Errno> {
        let known = Self::name(original);
        match linkat(at, name, &self.0, &known, AtFlags::empty()) {
            Ok(()) => Ok(Added::First),
            Err(Errno::MLINK) => Ok(Added::Same),
            Err(Errno::EXIST) => {
                let same = stat(&self.0, &known)?.st_ino == stat(at, name)?.st_ino;
                Ok(if same { Added::Same } else { Added::Other })
            }
            Err(error) => Err(error),
        }
    }
}

/// What is known of a copy that has another name.
#[derive(PartialEq, Eq)]
pub(crate) enum Added {
    First,
    Same,
    Other,
}
