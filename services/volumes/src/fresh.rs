//! Making durable what a pass made.

use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{fsync, syncfs};
use rustix::io::Errno;

/// Up to so many files and folders are made durable one by one: what others have written to the
/// same file system, which may be much, is none of ours.
const FEW: usize = 64;

/// What was made, as far as it is few.
#[derive(Default)]
pub(crate) struct Fresh {
    files: Vec<OwnedFd>,
    many: bool,
}

impl Fresh {
    pub(crate) fn add(&mut self, file: OwnedFd) {
        if self.many || self.files.len() == FEW {
            self.files.clear();
            self.many = true;
        } else {
            self.files.push(file);
        }
    }

    /// A folder that stays open elsewhere.
    pub(crate) fn add_folder(&mut self, folder: BorrowedFd<'_>) -> Result<(), Errno> {
        if !self.many {
            self.add(rustix::io::dup(folder)?);
        }
        Ok(())
    }

    /// `folder` is on the same file system.
    pub(crate) fn sync(&self, folder: BorrowedFd<'_>) -> Result<(), Errno> {
        if self.many {
            return syncfs(folder);
        }
        for file in &self.files {
            fsync(file)?;
        }
        fsync(folder)
    }
}
