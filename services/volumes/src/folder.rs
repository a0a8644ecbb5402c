//! Folders, and their copies.

use crate::Result;
use crate::attributes::{Attributes, DEFAULT_ACL};
use crate::files::{Inode, open_folder, stat};
use crate::names::{Names, Reader};
use crate::pass::{Kind, Pass};
use rustix::fd::OwnedFd;
use rustix::fs::{
    AtFlags, FileType, Mode, Stat, chmodat, fchmod, fremovexattr, fstat, mkdirat, renameat,
};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::mem;

impl Pass<'_> {
    /// Goes into a folder of the current one, or looks at what became none.
    pub(crate) fn next(&mut self, name: CString) -> Result<()> {
        let source = match open_folder(self.source.here(), &name) {
            Ok(folder) => folder,
            // What is mounted in the volume is not of it; the folder that it hides is.
            Err(Errno::XDEV) => {
                self.measure.left_out += 1;
                return self.copy_of_folder(&name).map(|_| ());
            }
            Err(Errno::NOENT) => return self.clear(&name),
            Err(Errno::NOTDIR | Errno::LOOP) if self.is_first() => return Ok(()),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                self.changed(&name)?;
                return self.entry(&name);
            }
            Err(error) => return Err(self.failed("read", &name, error)),
        };
        let original = fstat(&source).map_err(|error| self.failed("look at", &name, error))?;
        let (target, copy, made) = self.copy_of_folder(&name)?;
        self.measure.folders += 1;
        self.source.enter(source, Inode::of(&original));
        self.target.enter(target, Inode::of(&copy));
        let entered = self.older.as_mut().map_or(Ok(()), |it| it.enter(&name));
        entered.map_err(|error| self.failed("open", &name, error))?;
        self.enter(name, original, copy.st_ino, made)
    }

    /// The folder in the copy; whether it was made just now.
    fn copy_of_folder(&mut self, name: &CStr) -> Result<(OwnedFd, Stat, bool)> {
        let there = stat(self.target.here(), name);
        let there = there.map(|stat| FileType::from_raw_mode(stat.st_mode));
        let made = there != Ok(FileType::Directory);
        if made {
            if there.is_ok() {
                self.put_away(name)?;
            }
            self.touch()?;
            mkdirat(self.target.here(), name, Mode::RWXU)
                .map_err(|error| self.failed("make", name, error))?;
        }
        let opened = match open_folder(self.target.here(), name) {
            // Its mode, which is the original's, keeps us from what is ours.
            Err(Errno::ACCESS) => chmodat(self.target.here(), name, Mode::RWXU, AtFlags::empty())
                .and_then(|()| open_folder(self.target.here(), name)),
            other => other,
        };
        let target = opened.map_err(|error| self.failed("open", name, error))?;
        let copy = fstat(&target).map_err(|error| self.failed("look at", name, error))?;
        Ok((target, copy, made))
    }

    /// Copies what is in the current folder, and notes the folders in there.
    pub(crate) fn entries(&mut self) -> Result<()> {
        let here =
            rustix::io::dup(self.source.here()).map_err(|error| self.failed("read", c"", error))?;
        let mut reader = mem::take(&mut self.reader);
        let mut failed = None;
        let read = reader.each(here, |name, _| {
            if let Err(error) = self.entry(name) {
                failed = Some(error);
            }
            if failed.is_some() || self.is_enough() {
                return Err(Errno::CANCELED);
            }
            Ok(())
        });
        self.reader = reader;
        match (failed, read) {
            (Some(error), _) => Err(error),
            (None, Ok(()) | Err(Errno::CANCELED)) => Ok(()),
            (None, Err(error)) => Err(self.failed("read", c"", error)),
        }
    }

    pub(crate) fn entry(&mut self, name: &CStr) -> Result<()> {
        self.in_time()?;
        let original = match stat(self.source.here(), name) {
            Ok(original) => original,
            Err(Errno::NOENT) => return self.clear(name),
            Err(error) => return Err(self.failed("look at", name, error)),
        };
        match FileType::from_raw_mode(original.st_mode) {
            FileType::Directory => {
                if let Some(level) = self.levels.last_mut() {
                    level.left.push(name);
                }
                Ok(())
            }
            FileType::RegularFile | FileType::Symlink | FileType::Fifo => {
                self.leaf(name, &original)
            }
            _ => {
                self.measure.left_out += 1;
                self.clear(name)
            }
        }
    }

    /// The copy has names that the folder has no more.
    pub(crate) fn clear_what_is_gone(&mut self) -> Result<()> {
        let mut gone = Names::default();
        let copies =
            rustix::io::dup(self.target.here()).map_err(|error| self.failed("read", c"", error))?;
        let read = Reader::default().each(copies, |name, _| {
            match stat(self.source.here(), name) {
                Err(Errno::NOENT) => gone.push(name),
                other => {
                    other?;
                }
            }
            Ok::<(), Errno>(())
        });
        read.map_err(|error| self.failed("read", c"", error))?;
        while let Some(name) = gone.pop() {
            self.put_away(&name)?;
        }
        Ok(())
    }

    /// Puts away what the copy may have of that name from the first pass.
    pub(crate) fn clear(&mut self, name: &CStr) -> Result<()> {
        let empty = self.levels.last().is_some_and(|level| level.made);
        if empty || matches!(stat(self.target.here(), name), Err(Errno::NOENT)) {
            return Ok(());
        }
        self.put_away(name)
    }

    /// Puts away what the copy has of that name.
    pub(crate) fn put_away(&mut self, name: &CStr) -> Result<()> {
        self.touch()?;
        self.junk += 1;
        let away = format!("{}-{}", u8::from(self.is_first()), self.junk);
        let mut result = renameat(self.target.here(), name, self.place.junk, &away);
        if result == Err(Errno::ACCESS) {
            // A folder that its owner may not write in can't be moved by its owner either.
            result = chmodat(self.target.here(), name, Mode::RWXU, AtFlags::empty())
                .and_then(|()| renameat(self.target.here(), name, self.place.junk, &away));
        }
        match result {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failed("put away", name, error)),
        }
    }

    /// To be called before the current folder of the copy is changed. A default ACL would be
    /// given on to what is made in it.
    pub(crate) fn touch(&mut self) -> Result<()> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        if level.touched {
            return Ok(());
        }
        level.touched = true;
        let here = self.target.here();
        fchmod(here, Mode::RWXU).map_err(|error| self.failed("open", c"", error))?;
        match fremovexattr(here, DEFAULT_ACL) {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
            Err(error) => Err(self.failed("open", c"", error)),
        }
    }

    /// Gives the copy of the current folder its attributes. The first pass saw a folder once
    /// all of it was copied.
    pub(crate) fn finish_folder(&mut self) -> Result<()> {
        let Some(level) = self.levels.last() else {
            return Ok(());
        };
        if level.unchanged && !level.touched {
            return Ok(());
        }
        Attributes::of(&level.original)
            .give(self.source.here(), self.target.here())
            .and_then(|()| self.fresh.add_folder(self.target.here()))
            .map_err(|error| self.failed("write", c"", error))?;
        if let Kind::First(seen, _) = &mut self.kind {
            seen.add(level.copy, &level.original);
        }
        Ok(())
    }
}
