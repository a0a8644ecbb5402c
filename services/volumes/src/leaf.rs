//! Copying what is no folder: files, links, FIFOs.

use crate::Result;
use crate::attributes::Attributes;
use crate::backup::Older;
use crate::contents::Failed;
use crate::error::VolumeError;
use crate::files::{Inode, stat};
use crate::links::Added;
use crate::measure::data;
use crate::pass::{Pass, too_long};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, mkfifoat, openat, openat2, readlinkat,
    symlinkat,
};
use rustix::io::Errno;
use std::ffi::CStr;
use std::time::Instant;

/// So many times something may change where nothing should.
const MOST_CHANGES: u32 = 1000;

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
    pub(crate) fn leaf(&mut self, name: &CStr, original: &Stat) -> Result<()> {
        match self.try_leaf(name, original)? {
            Copied::Done => Ok(()),
            Copied::LeftOut => {
                self.measure.left_out += 1;
                Ok(())
            }
            Copied::Changed => self.again(name),
        }
    }

    /// Notes a name that became another's while it was looked at, to look once more: that is the
    /// second pass's, and where nothing should change it is borne so often only.
    pub(crate) fn again(&mut self, name: &CStr) -> Result<()> {
        if self.is_first() {
            return Ok(());
        }
        self.changed(name)?;
        if let Some(level) = self.levels.last_mut() {
            level.left.push(name);
        }
        Ok(())
    }

    /// Counts what changed where nothing should.
    pub(crate) fn changed(&mut self, name: &CStr) -> Result<()> {
        self.changes += 1;
        if self.changes > MOST_CHANGES {
            return Err(self.changing(name));
        }
        Ok(())
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
            match self.place.links.link(inode, self.target.here(), name) {
                Ok(true) => {
                    self.count(original, false);
                    return Ok(Copied::Done);
                }
                Ok(false) => {}
                Err(error) => return self.not_made(name, error),
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
        let opened = open_regular(&self.place.descriptors, self.source.here(), name, expected);
        let (source, original) = match opened {
            Ok(Some(opened)) => opened,
            Ok(None) | Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => {
                return Ok(Copied::Changed);
            }
            // A lease that is held on it.
            Err(Errno::AGAIN) => return Ok(Copied::Changed),
            Err(Errno::XDEV) => return Ok(Copied::LeftOut),
            Err(error) => return Err(self.failed("read", name, error)),
        };
        let target = self.target.here();
        let share = |older: &mut Older| older.share(name, (source.as_fd(), &original), target);
        let shared = self.older.as_mut().map_or(Ok(false), share);
        if shared.map_err(|error| self.failed("link", name, error))? {
            return Ok(Copied::Done);
        }
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = match openat(self.target.here(), name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(target) => target,
            Err(error) => return self.not_made(name, error),
        };
        self.contents(name, &source, &target, &original)?;
        let copy = fstat(&target).map_err(|error| self.failed("look at", name, error))?;
        self.saw(copy.st_ino, &original);
        self.fresh.add(target);
        Ok(Copied::Done)
    }

    fn contents(
        &mut self,
        name: &CStr,
        source: &OwnedFd,
        target: &OwnedFd,
        original: &Stat,
    ) -> Result<()> {
        let size = u64::try_from(original.st_size).unwrap_or(0);
        let until = self.until;
        let (sharing, room) = (self.place.sharing, self.place.room);
        let filled = sharing.fill(source.as_fd(), target.as_fd(), size, &mut |bytes| {
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(too_long(room.volume()));
            }
            room.charge(bytes)
        });
        match filled {
            Ok(()) => {}
            Err(Failed::Stopped(error)) => return Err(error),
            Err(Failed::Errno(error)) => return Err(self.failed("copy", name, error)),
        }
        Attributes::of(original)
            .give(source.as_fd(), target.as_fd())
            .map_err(|error| self.failed("write", name, error))
    }

    /// A folder that changes may have a name twice as it is read.
    fn not_made(&mut self, name: &CStr, error: Errno) -> Result<Copied> {
        if error == Errno::EXIST {
            return self.put_away(name).map(|()| Copied::Changed);
        }
        Err(self.failed("write", name, error))
    }

    fn symlink(&mut self, name: &CStr, original: &Stat) -> Result<Copied> {
        let leads_to = match readlinkat(self.source.here(), name, Vec::new()) {
            Ok(leads_to) => leads_to,
            Err(Errno::NOENT | Errno::INVAL) => return Ok(Copied::Changed),
            Err(error) => return Err(self.failed("read", name, error)),
        };
        if let Err(error) = symlinkat(leads_to, self.target.here(), name) {
            return self.not_made(name, error);
        }
        self.named(name, original, true)
    }

    fn fifo(&mut self, name: &CStr, original: &Stat) -> Result<Copied> {
        if let Err(error) = mkfifoat(self.target.here(), name, Mode::RUSR | Mode::WUSR) {
            return self.not_made(name, error);
        }
        self.named(name, original, false)
    }

    fn named(&mut self, name: &CStr, original: &Stat, is_link: bool) -> Result<Copied> {
        Attributes::of(original)
            .give_name(self.target.here(), name, is_link)
            .map_err(|error| self.failed("write", name, error))?;
        let copy =
            stat(self.target.here(), name).map_err(|error| self.failed("look at", name, error))?;
        self.saw(copy.st_ino, original);
        Ok(Copied::Done)
    }
}

/// Opens a file only once it is sure that it is the one that was looked at: opening a device acts on
/// it, and opening a FIFO wakes who waits at its other end. `descriptors` is of [`descriptors`].
pub(crate) fn open_regular(
    descriptors: &OwnedFd,
    at: BorrowedFd<'_>,
    name: &CStr,
    expected: &Stat,
) -> Result<Option<(OwnedFd, Stat)>, Errno> {
    let found = openat2(
        at,
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
    let number = found.as_raw_fd().to_string();
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let source = openat(descriptors, number, flags, Mode::empty())?;
    Ok(Some((source, original)))
}
