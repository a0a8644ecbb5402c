//! Copying what is no folder: files, links, FIFOs.

use crate::Result;
use crate::attributes::Attributes;
use crate::contents::Failed;
use crate::error::VolumeError;
use crate::files::{Inode, stat};
use crate::links::Added;
use crate::measure::data;
use crate::pass::Pass;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, mkfifoat, openat, openat2, readlinkat,
    symlinkat,
};
use rustix::io::Errno;
use std::ffi::CStr;

/// So often a name that leads to something else each time is tried, where nothing should change.
const TRIES: u32 = 16;

/// How the copy of one file went.
enum Copied {
    Done,
    /// It is gone, or another now.
    Changed,
    /// Mounted over.
    LeftOut,
}

/// Where open files can be opened anew: what a descriptor leads to is no longer anybody's choice.
pub(crate) fn descriptors() -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, "/proc/self/fd", flags, Mode::empty())
        .map_err(|error| VolumeError::io("open", "/proc/self/fd", error))
}

impl Pass<'_> {
    /// Copies a file, link or FIFO of the current folder.
    pub(crate) fn leaf(&mut self, name: &CStr, original: Stat) -> Result<()> {
        let mut original = original;
        for _ in 0..TRIES {
            match self.try_leaf(name, &original)? {
                Copied::Done => return Ok(()),
                Copied::LeftOut => {
                    self.measure.left_out += 1;
                    return Ok(());
                }
                Copied::Changed if self.is_first() => return Ok(()),
                Copied::Changed => {}
            }
            original = match stat(self.source.here(), name) {
                Ok(now) => now,
                Err(Errno::NOENT) => return self.clear(name),
                Err(error) => return Err(self.failed("look at", name, error)),
            };
        }
        Err(self.changing(name))
    }

    /// The same of a name that was a folder's just now.
    pub(crate) fn leaf_at_last(&mut self, name: &CStr) -> Result<()> {
        Err(self.changing(name))
    }

    fn try_leaf(&mut self, name: &CStr, original: &Stat) -> Result<Copied> {
        let inode = Inode::of(original);
        let linked = original.st_nlink > 1;
        if self.is_copied(name, original) {
            let known = if linked {
                self.add_link(name, inode)?
            } else {
                Added::First
            };
            if known != Added::Other {
                self.count(original, known == Added::First);
                return Ok(Copied::Done);
            }
        }
        self.clear(name)?;
        self.touch()?;
        if linked {
            let found = self.place.links.link(inode, self.target.here(), name);
            if found.map_err(|error| self.failed("link", name, error))? {
                self.count(original, false);
                return Ok(Copied::Done);
            }
        }
        let copied = match FileType::from_raw_mode(original.st_mode) {
            FileType::RegularFile => self.file(name, original)?,
            FileType::Symlink => self.symlink(name, original)?,
            FileType::Fifo => self.fifo(name, original)?,
            _ => Copied::Changed,
        };
        if matches!(copied, Copied::Done) {
            if linked {
                self.add_link(name, inode)?;
            }
            self.count(original, true);
        }
        Ok(copied)
    }

    fn add_link(&self, name: &CStr, original: Inode) -> Result<Added> {
        let added = self.place.links.add(original, self.target.here(), name);
        added.map_err(|error| self.failed("link", name, error))
    }

    fn count(&mut self, original: &Stat, first: bool) {
        self.measure.files += 1;
        if first {
            self.measure.bytes += data(original);
        }
    }

    fn file(&mut self, name: &CStr, expected: &Stat) -> Result<Copied> {
        let (source, original) = match self.open_file(name, expected) {
            Ok(Some(opened)) => opened,
            Ok(None) | Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => {
                return Ok(Copied::Changed);
            }
            // A lease that is held on it.
            Err(Errno::AGAIN) => return Ok(Copied::Changed),
            Err(Errno::XDEV) => return Ok(Copied::LeftOut),
            Err(error) => return Err(self.failed("read", name, error)),
        };
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = openat(self.target.here(), name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| self.failed("write", name, error))?;
        let size = u64::try_from(original.st_size).unwrap_or(0);
        let sharing = self.place.sharing;
        match sharing.fill(source.as_fd(), target.as_fd(), size, &mut self.place.room) {
            Ok(()) => {}
            Err(Failed::NoRoom(error)) => return Err(error),
            Err(Failed::Errno(error)) => return Err(self.failed("copy", name, error)),
        }
        Attributes::of(&original)
            .give(source.as_fd(), target.as_fd())
            .map_err(|error| self.failed("write", name, error))?;
        let copy = fstat(&target).map_err(|error| self.failed("look at", name, error))?;
        self.saw(&copy, &original);
        Ok(Copied::Done)
    }

    /// Opens it only once it is sure that it is that file: opening a device acts on it, and
    /// opening a FIFO wakes who waits at its other end.
    fn open_file(&self, name: &CStr, expected: &Stat) -> Result<Option<(OwnedFd, Stat)>, Errno> {
        let found = openat2(
            self.source.here(),
            name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::BENEATH
                | ResolveFlags::NO_SYMLINKS
                | ResolveFlags::NO_MAGICLINKS
                | ResolveFlags::NO_XDEV,
        )?;
        let original = fstat(&found)?;
        let is_file = FileType::from_raw_mode(original.st_mode) == FileType::RegularFile;
        if !is_file || Inode::of(&original) != Inode::of(expected) {
            return Ok(None);
        }
        let number = rustix::fd::AsRawFd::as_raw_fd(&found).to_string();
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let source = openat(&self.place.descriptors, number, flags, Mode::empty())?;
        Ok(Some((source, original)))
    }

    fn symlink(&mut self, name: &CStr, original: &Stat) -> Result<Copied> {
        let leads_to = match readlinkat(self.source.here(), name, Vec::new()) {
            Ok(leads_to) => leads_to,
            Err(Errno::NOENT | Errno::INVAL) => return Ok(Copied::Changed),
            Err(error) => return Err(self.failed("read", name, error)),
        };
        symlinkat(leads_to, self.target.here(), name)
            .map_err(|error| self.failed("write", name, error))?;
        self.named(name, original, true)
    }

    fn fifo(&mut self, name: &CStr, original: &Stat) -> Result<Copied> {
        mkfifoat(self.target.here(), name, Mode::RUSR | Mode::WUSR)
            .map_err(|error| self.failed("write", name, error))?;
        self.named(name, original, false)
    }

    fn named(&mut self, name: &CStr, original: &Stat, is_link: bool) -> Result<Copied> {
        Attributes::of(original)
            .give_name(self.target.here(), name, is_link)
            .map_err(|error| self.failed("write", name, error))?;
        let copy =
            stat(self.target.here(), name).map_err(|error| self.failed("look at", name, error))?;
        self.saw(&copy, original);
        Ok(Copied::Done)
    }
}
