//! Whether what is on the disk is what was sent.

use super::index::Index;
use crate::Result;
use crate::error::VolumeError;
use crate::files::{Inode, open_folder, stat};
use crate::measure::{Measure, data};
use crate::names::{Names, Reader};
use crate::trail::Trail;
use crate::transfer::blocks::content;
use crate::transfer::digest::{Digest, Tree};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Advice, FileType, Mode, OFlags, Stat, fadvise, fstat, openat};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::CStr;

/// Looks through a tree that was built and written out.
pub(super) struct Verify<'a> {
    index: &'a mut Index,
    /// What of the index there really is.
    found: Index,
    tree: Tree,
    size: Measure,
    /// The inodes that were named, of those with several names.
    several: HashSet<u64>,
    volume: &'a str,
    alive: &'a mut dyn FnMut() -> Result<()>,
}

impl<'a> Verify<'a> {
    /// `alive` is called now and then.
    pub(super) fn new(
        index: &'a mut Index,
        volume: &'a str,
        alive: &'a mut dyn FnMut() -> Result<()>,
    ) -> Self {
        Self {
            index,
            found: Index::default(),
            tree: Tree::default(),
            size: Measure::default(),
            several: HashSet::new(),
            volume,
            alive,
        }
    }

    /// What the tree is, and how large. Data that was written is read back from the disk. With
    /// `whole`, nothing may be there that is not known.
    pub(super) fn run(mut self, root: OwnedFd, whole: bool) -> Result<(Tree, Measure)> {
        let about = fstat(&root).map_err(|error| self.failed(c"", error))?;
        let path = Tree::path(&Tree::ROOT, b"");
        self.one(&path, &about, whole)?;
        let mut trail = Trail::new(root).map_err(|error| self.failed(c"", error))?;
        let mut reader = Reader::default();
        let folders = self.here(&trail, &mut reader, &path, whole)?;
        let mut levels = vec![(path, folders)];
        while let Some((path, folders)) = levels.last_mut() {
            let Some(name) = folders.pop() else {
                levels.pop();
                trail.back().map_err(|error| self.failed(c"..", error))?;
                continue;
            };
            let path = Tree::path(path, name.to_bytes());
            let folder =
                open_folder(trail.here(), &name).map_err(|error| self.failed(&name, error))?;
            let about = fstat(&folder).map_err(|error| self.failed(&name, error))?;
            self.one(&path, &about, whole)?;
            self.size.folders += 1;
            trail.enter(folder, Inode::of(&about));
            let folders = self.here(&trail, &mut reader, &path, whole)?;
            levels.push((path, folders));
        }
        *self.index = self.found;
        Ok((self.tree, self.size))
    }

    /// What is in the current folder; the names of the folders in there.
    fn here(
        &mut self,
        trail: &Trail,
        reader: &mut Reader,
        path: &Digest,
        whole: bool,
    ) -> Result<Names> {
        let mut folders = Names::default();
        let mut failed = None;
        let read = reader.each(trail.here(), |name, _| {
            let about = stat(trail.here(), name)?;
            if FileType::from_raw_mode(about.st_mode) == FileType::Directory {
                folders.push(name);
                return Ok(());
            }
            let leaf = self.leaf(trail.here(), name, path, (&about, whole));
            leaf.map_err(|error| {
                failed = Some(error);
                Errno::CANCELED
            })
        });
        match (failed, read) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(self.failed(c"", error)),
            (None, Ok(())) => Ok(folders),
        }
    }

    fn leaf(
        &mut self,
        at: BorrowedFd<'_>,
        name: &CStr,
        path: &Digest,
        (about, whole): (&Stat, bool),
    ) -> Result<()> {
        let first = about.st_nlink == 1 || self.several.insert(about.st_ino);
        if first {
            (self.alive)()?;
            self.read_back(at, name, about)?;
            self.size.files += 1;
            self.size.bytes += data(about);
        } else {
            self.tree.links += 1;
        }
        self.one(&Tree::path(path, name.to_bytes()), about, whole)
    }

    fn one(&mut self, path: &Digest, about: &Stat, whole: bool) -> Result<()> {
        let digest = self
            .index
            .digest(about)
            .or_else(|| self.found.digest(about));
        match digest {
            Some(digest) => {
                self.tree.add(path, &digest);
                let found = &mut self.found;
                self.index.keep(about.st_ino, found);
                Ok(())
            }
            None if whole => Err(self.mismatch("something is not as it was written")),
            None => Ok(()),
        }
    }

    /// Reads a file from the disk, and not from memory.
    fn read_back(&mut self, at: BorrowedFd<'_>, name: &CStr, about: &Stat) -> Result<()> {
        let is_file = FileType::from_raw_mode(about.st_mode) == FileType::RegularFile;
        let Some(wanted) = self.index.unread(about.st_ino).filter(|_| is_file) else {
            return Ok(());
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat(at, name, flags, Mode::empty());
        let file = opened.map_err(|error| self.failed(name, error))?;
        // What the system can't do without it reads from memory, which is as it was sent as well.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        let size = about.st_size.cast_unsigned();
        let read = content(file.as_fd(), size, &mut self.alive)?;
        if read.map_err(|error| self.failed(name, error))? != wanted {
            let name = name.to_string_lossy();
            return Err(self.mismatch(&format!("`{}` is another on the disk", name.escape_debug())));
        }
        Ok(())
    }

    fn failed(&self, name: &CStr, error: Errno) -> VolumeError {
        let name = name.to_string_lossy();
        VolumeError::io(
            "read back",
            format!("{}/…/{}", self.volume, name.escape_debug()),
            error,
        )
    }

    fn mismatch(&self, cause: &str) -> VolumeError {
        VolumeError::TransferMismatch {
            volume: self.volume.to_owned(),
            cause: cause.to_owned(),
        }
    }
}
