//! The backup before: what did not change since is shared with it.

use crate::attributes::same_extended;
use crate::files::{Inode, open_folder, stat};
use crate::seen::{SLACK_NS, modified};
use crate::trail::Trail;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, linkat, openat};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::CStr;

/// An older copy of a tree, and the way through it, beside that through the tree.
pub(crate) struct Older {
    trail: Trail,
    /// How many of the current folders it does not have.
    missing: usize,
    /// What was modified later may have changed since without another time stamp.
    quiet: i64,
    /// What is in the new copy already: two files that were one are two.
    used: HashSet<u64>,
    /// How much data is shared.
    pub shared: u64,
}

impl Older {
    /// One that was made at that moment, in milliseconds since 1970.
    pub(crate) fn new(root: OwnedFd, at: u64) -> Result<Self, Errno> {
        let at = i64::try_from(at).unwrap_or(0).saturating_mul(1_000_000);
        Ok(Self {
            trail: Trail::new(root)?,
            missing: 0,
            quiet: at - SLACK_NS,
            used: HashSet::new(),
            shared: 0,
        })
    }

    pub(crate) fn enter(&mut self, name: &CStr) -> Result<(), Errno> {
        if self.missing > 0 {
            self.missing += 1;
            return Ok(());
        }
        match open_folder(self.trail.here(), name) {
            Ok(folder) => {
                let inode = Inode::of(&fstat(&folder)?);
                self.trail.enter(folder, inode);
            }
            // What can't be had is copied.
            Err(_) => self.missing = 1,
        }
        Ok(())
    }

    pub(crate) fn back(&mut self) -> Result<(), Errno> {
        if self.missing > 0 {
            self.missing -= 1;
            return Ok(());
        }
        self.trail.back().map(|_| ())
    }

    /// The file of that name in the current folder.
    pub(crate) fn file(&self, name: &CStr) -> Option<Stat> {
        let is_file = |it: &Stat| FileType::from_raw_mode(it.st_mode) == FileType::RegularFile;
        let here = (self.missing == 0).then(|| self.trail.here())?;
        stat(here, name).ok().filter(is_file)
    }

    /// Whether the file of that name is what `original` still is, as far as that tells.
    pub(crate) fn is(&self, name: &CStr, original: &Stat) -> bool {
        let Some(copy) = self.file(name) else {
            return false;
        };
        let known = |it: &Stat| (it.st_mode, it.st_uid, it.st_gid, it.st_size, modified(it));
        known(&copy) == known(original)
            && modified(original) < self.quiet
            && !self.used.contains(&copy.st_ino)
    }

    /// Gives the file of that name another one in `target`, if it is what `source` is.
    pub(crate) fn share(
        &mut self,
        name: &CStr,
        (source, original): (BorrowedFd<'_>, &Stat),
        target: BorrowedFd<'_>,
    ) -> Result<bool, Errno> {
        if !self.is(name, original) {
            return Ok(false);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(copy) = openat(self.trail.here(), name, flags, Mode::empty()) else {
            return Ok(false);
        };
        if !same_extended(source, copy.as_fd())? {
            return Ok(false);
        }
        match linkat(self.trail.here(), name, target, name, AtFlags::empty()) {
            Ok(()) => {
                self.used.insert(fstat(&copy)?.st_ino);
                self.shared += crate::measure::data(original);
                Ok(true)
            }
            // The last that the file system allows, or it allows none.
            Err(Errno::MLINK | Errno::XDEV | Errno::PERM | Errno::OPNOTSUPP) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
