//! The way from a tree's root to the folder that is being looked at.

use crate::files::Inode;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use std::mem;

/// How many folders above the current one stay open. A tree may be deeper than a process may
/// have open files; what lies further up is found again through `..`.
const OPEN: usize = 64;

/// Open folders from a root down. It takes neither the stack's memory nor a path's length.
pub(crate) struct Trail {
    here: OwnedFd,
    inode: Inode,
    above: Vec<(Option<OwnedFd>, Inode)>,
}

impl Trail {
    pub(crate) fn new(root: OwnedFd) -> Result<Self, Errno> {
        let inode = Inode::of(&fstat(&root)?);
        Ok(Self {
            here: root,
            inode,
            above: Vec::new(),
        })
    }

    pub(crate) fn here(&self) -> BorrowedFd<'_> {
        self.here.as_fd()
    }

    /// Goes down to `folder`, which is in the current one.
    pub(crate) fn enter(&mut self, folder: OwnedFd, inode: Inode) {
        let parent = mem::replace(&mut self.here, folder);
        let its = mem::replace(&mut self.inode, inode);
        self.above.push((Some(parent), its));
        let far = self.above.len().checked_sub(OPEN + 1);
        if let Some((folder, _)) = far.and_then(|far| self.above.get_mut(far)) {
            *folder = None;
        }
    }

    /// Goes back up; false at the root. If `..` is not where we came from, for somebody moved
    /// the folder meanwhile, that is [`Errno::STALE`].
    pub(crate) fn back(&mut self) -> Result<bool, Errno> {
        let Some((folder, inode)) = self.above.pop() else {
            return Ok(false);
        };
        let folder = match folder {
            Some(folder) => folder,
            None => self.parent(inode)?,
        };
        self.here = folder;
        self.inode = inode;
        Ok(true)
    }

    fn parent(&self, inode: Inode) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = openat(&self.here, c"..", flags, Mode::empty())?;
        if Inode::of(&fstat(&parent)?) == inode {
            Ok(parent)
        } else {
            Err(Errno::STALE)
        }
    }
}
