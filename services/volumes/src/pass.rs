//! One pass over a tree and its copy.

use crate::Result;
use crate::attributes::{Attributes, DEFAULT_ACL};
use crate::contents::Sharing;
use crate::error::VolumeError;
use crate::files::{Inode, open_folder, stat};
use crate::links::Links;
use crate::measure::Measure;
use crate::names::{Names, Reader};
use crate::room::Room;
use crate::seen::Seen;
use crate::trail::Trail;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, Stat, fchmod, fremovexattr, fstat, mkdirat, renameat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};

/// What a pass is about.
pub(crate) enum Kind {
    /// The tree may change meanwhile: what does is left to the second pass.
    First(Seen),
    /// Nothing changes meanwhile. What the first pass saw and is still so stays as it is.
    Second(Option<Seen>),
}

/// Where a pass puts things.
pub(crate) struct Place<'a> {
    /// Where what is gone from the tree is put: removing it may take time.
    pub junk: BorrowedFd<'a>,
    pub links: Links,
    /// Where file descriptors can be opened anew.
    pub descriptors: OwnedFd,
    pub sharing: Sharing,
    pub room: Room<'a>,
}

pub(crate) struct Pass<'a> {
    pub(crate) source: Trail,
    pub(crate) target: Trail,
    pub(crate) kind: Kind,
    pub(crate) place: Place<'a>,
    pub(crate) measure: Measure,
    levels: Vec<Level>,
    junk: u64,
}

/// A folder on the way down.
struct Level {
    name: CString,
    attributes: Attributes,
    folders: Names,
    /// As the first pass saw it: no name came or went since.
    unchanged: bool,
    /// Its copy is open for changes, and gets its attributes anew in the end.
    touched: bool,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        source: OwnedFd,
        target: OwnedFd,
        kind: Kind,
        place: Place<'a>,
    ) -> Result<Self> {
        let failed = |error| VolumeError::io("look at", "a folder", error);
        Ok(Self {
            source: Trail::new(source).map_err(failed)?,
            target: Trail::new(target).map_err(failed)?,
            kind,
            place,
            measure: Measure::default(),
            levels: Vec::new(),
            junk: 0,
        })
    }

    /// Makes the copy what the tree is. What a first pass saw is in the kind afterwards.
    pub(crate) fn run(&mut self) -> Result<()> {
        let root = fstat(self.source.here()).map_err(|error| self.failed("look at", c"", error))?;
        self.level(CString::default(), &root, false)?;
        while let Some(level) = self.levels.last_mut() {
            if let Some(name) = level.folders.pop() {
                self.folder(name)?;
            } else {
                self.leave()?;
                match self.source.back() {
                    // What the first pass does not come to is the second one's.
                    Err(Errno::STALE | Errno::NOENT) if self.is_first() => return Ok(()),
                    Err(Errno::STALE | Errno::NOENT) => return Err(self.changing(c"..")),
                    other => other.map_err(|error| self.failed("open", c"..", error))?,
                };
                let back = self.target.back();
                back.map_err(|error| self.failed("open", c"..", error))?;
                self.levels.pop();
            }
        }
        Ok(())
    }

    pub(crate) fn is_first(&self) -> bool {
        matches!(self.kind, Kind::First(_))
    }

    /// Whether the copy that has this name is what `original` still is.
    pub(crate) fn is_copied(&self, name: &CStr, original: &Stat) -> bool {
        let Kind::Second(Some(seen)) = &self.kind else {
            return false;
        };
        stat(self.target.here(), name).is_ok_and(|copy| seen.is_copy(copy.st_ino, original))
    }

    /// Remembers what the copy is made of, for the second pass.
    pub(crate) fn saw(&mut self, copy: &Stat, original: &Stat) {
        if let Kind::First(seen) = &mut self.kind {
            seen.add(copy.st_ino, original);
        }
    }

    /// Goes into a folder.
    fn folder(&mut self, name: CString) -> Result<()> {
        let source = match open_folder(self.source.here(), &name) {
            Ok(folder) => folder,
            Err(Errno::XDEV) => return self.mounted(&name),
            Err(Errno::NOENT) => return self.clear(&name),
            Err(Errno::NOTDIR | Errno::LOOP) if self.is_first() => return Ok(()),
            Err(Errno::NOTDIR | Errno::LOOP) => return self.leaf_at_last(&name),
            Err(error) => return Err(self.failed("read", &name, error)),
        };
        let original = fstat(&source).map_err(|error| self.failed("look at", &name, error))?;
        let (target, copy, made) = self.copy_of_folder(&name)?;
        let unchanged = match &self.kind {
            Kind::Second(Some(seen)) => seen.is_copy(copy.st_ino, &original),
            _ => false,
        };
        self.saw(&copy, &original);
        self.measure.folders += 1;
        self.source.enter(source, Inode::of(&original));
        self.target.enter(target, Inode::of(&copy));
        self.level_of(name, &original, unchanged && !made, made)
    }

    /// The folder in the copy, made if it is not there.
    fn copy_of_folder(&mut self, name: &CStr) -> Result<(OwnedFd, Stat, bool)> {
        let is = stat(self.target.here(), name).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let made = is != Ok(FileType::Directory);
        if made {
            self.clear(name)?;
            self.touch()?;
            mkdirat(self.target.here(), name, Mode::RWXU)
                .map_err(|error| self.failed("make", name, error))?;
        }
        let target = self.open_copy(name)?;
        let copy = fstat(&target).map_err(|error| self.failed("look at", name, error))?;
        Ok((target, copy, made))
    }

    /// Its mode, which is the original's, may keep us from what is ours.
    fn open_copy(&self, name: &CStr) -> Result<OwnedFd> {
        let opened = match open_folder(self.target.here(), name) {
            Err(Errno::ACCESS) => rustix::fs::chmodat(
                self.target.here(),
                name,
                Mode::RWXU,
                rustix::fs::AtFlags::empty(),
            )
            .and_then(|()| open_folder(self.target.here(), name)),
            other => other,
        };
        opened.map_err(|error| self.failed("open", name, error))
    }

    /// What is mounted in the volume is not of it; the folder is, below.
    fn mounted(&mut self, name: &CStr) -> Result<()> {
        self.copy_of_folder(name)?;
        self.measure.left_out += 1;
        Ok(())
    }

    fn level(&mut self, name: CString, original: &Stat, unchanged: bool) -> Result<()> {
        self.level_of(name, original, unchanged, false)
    }

    fn level_of(
        &mut self,
        name: CString,
        original: &Stat,
        unchanged: bool,
        made: bool,
    ) -> Result<()> {
        self.levels.push(Level {
            name,
            attributes: Attributes::of(original),
            folders: Names::default(),
            unchanged,
            touched: made,
        });
        self.entries()?;
        if unchanged || made || self.is_first() {
            return Ok(());
        }
        self.clear_what_is_gone()
    }

    /// Copies what is in the current folder, and notes the folders in there.
    fn entries(&mut self) -> Result<()> {
        let mut reader = Reader::new();
        let here =
            rustix::io::dup(self.source.here()).map_err(|error| self.failed("read", c"", error))?;
        let mut failed = None;
        let read = reader.each(here, |name, _| {
            self.entry(name).map_err(|error| {
                failed = Some(error);
                Errno::CANCELED
            })
        });
        match (failed, read) {
            (Some(error), _) => Err(error),
            (None, read) => read.map_err(|error| self.failed("read", c"", error)),
        }
    }

    fn entry(&mut self, name: &CStr) -> Result<()> {
        let original = match stat(self.source.here(), name) {
            Ok(original) => original,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(self.failed("look at", name, error)),
        };
        match FileType::from_raw_mode(original.st_mode) {
            FileType::Directory => {
                if let Some(level) = self.levels.last_mut() {
                    level.folders.push(name);
                }
                Ok(())
            }
            FileType::RegularFile | FileType::Symlink | FileType::Fifo => self.leaf(name, original),
            _ => {
                self.measure.left_out += 1;
                self.clear(name)
            }
        }
    }

    /// The copy has names that the folder has no more.
    fn clear_what_is_gone(&mut self) -> Result<()> {
        let mut gone = Names::default();
        let copies =
            rustix::io::dup(self.target.here()).map_err(|error| self.failed("read", c"", error))?;
        let read = Reader::new().each(copies, |name, _| {
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
            self.clear(&name)?;
        }
        Ok(())
    }

    /// Puts away what the copy has of that name; that it has none is well.
    pub(crate) fn clear(&mut self, name: &CStr) -> Result<()> {
        if self.is_first() || matches!(stat(self.target.here(), name), Err(Errno::NOENT)) {
            return Ok(());
        }
        self.touch()?;
        self.junk += 1;
        let away = self.junk.to_string();
        match renameat(self.target.here(), name, self.place.junk, away) {
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

    fn leave(&mut self) -> Result<()> {
        let Some(level) = self.levels.last() else {
            return Ok(());
        };
        if level.unchanged && !level.touched {
            return Ok(());
        }
        level
            .attributes
            .give(self.source.here(), self.target.here())
            .map_err(|error| self.failed("write", c"", error))
    }

    /// Where something is, for people.
    pub(crate) fn path(&self, name: &CStr) -> String {
        let mut path = String::new();
        for level in self.levels.iter().skip(1) {
            if path.len() > 512 {
                path.push_str("…/");
                break;
            }
            path.push_str(&level.name.to_string_lossy());
            path.push('/');
        }
        path.push_str(&name.to_string_lossy());
        path.escape_debug().to_string()
    }

    pub(crate) fn failed(&self, action: &'static str, name: &CStr, error: Errno) -> VolumeError {
        let path = format!("{}/{}", self.place.room.volume(), self.path(name));
        self.place.room.failed(action, path, error)
    }

    pub(crate) fn changing(&self, name: &CStr) -> VolumeError {
        VolumeError::Changing {
            volume: self.place.room.volume().to_owned(),
            path: self.path(name),
        }
    }
}
