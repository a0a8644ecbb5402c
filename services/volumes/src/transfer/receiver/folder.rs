//! The receiver's folders.

use super::build::Build;
use super::extended::Extended;
use crate::Result;
use crate::attributes::{Attributes, DEFAULT_ACL};
use crate::files::{Inode, open_folder, own_folder, stat};
use crate::names::{Names, Reader};
use crate::remove::remove;
use crate::snapshot::DATA;
use crate::trail::Trail;
use crate::transfer::digest::{Digest, Entry, Kind};
use rustix::fs::{AtFlags, FileType, Mode, chmodat, fchmod, fremovexattr, fstat, mkdirat};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::{CStr, CString};

/// About what a name takes beside its data.
const PER_NAME: u64 = 1024;

/// A folder on the way down.
pub(super) struct Level {
    /// What is known of it, if it is as it was.
    known: Option<Digest>,
    entry: Entry,
    extended: Extended,
    names: HashSet<CString>,
    /// It is open for changes, and gets its attributes anew in the end.
    touched: bool,
}

impl Level {
    fn new(known: Option<Digest>, touched: bool) -> Self {
        Self {
            known,
            entry: Entry::new(Kind::Folder),
            extended: Extended::default(),
            names: HashSet::new(),
            touched,
        }
    }
}

impl Build<'_> {
    pub(super) fn begin(&mut self) -> Result<()> {
        let root = own_folder(self.place.fd(), DATA, &self.place.store.path)?;
        let about = fstat(&root).map_err(|error| self.failed("look at", c"", error))?;
        self.trail = Some(Trail::new(root).map_err(|error| self.failed("look at", c"", error))?);
        self.levels.clear();
        self.levels
            .push(Level::new(self.index.digest(&about), false));
        self.linked.clear();
        self.lost = false;
        Ok(())
    }

    pub(super) fn enter(&mut self, name: &CStr) -> Result<()> {
        self.name(name)?;
        let there = self.there(name)?;
        let made = there != Some(FileType::Directory);
        if made {
            self.clear(name)?;
            mkdirat(self.here(), name, Mode::RWXU)
                .map_err(|error| self.failed("make", name, error))?;
        }
        let mut touched = made;
        let opened = match open_folder(self.here(), name) {
            // Its mode, which is the original's, keeps us from what is ours.
            Err(Errno::ACCESS) => {
                touched = true;
                chmodat(self.here(), name, Mode::RWXU, AtFlags::empty())
                    .and_then(|()| open_folder(self.here(), name))
            }
            other => other,
        };
        let folder = opened.map_err(|error| self.failed("open", name, error))?;
        let about = fstat(&folder).map_err(|error| self.failed("look at", name, error))?;
        self.levels
            .push(Level::new(self.index.digest(&about), touched));
        if let Some(trail) = &mut self.trail {
            trail.enter(folder, Inode::of(&about));
        }
        Ok(())
    }

    pub(super) fn extended(&mut self, name: &CStr, value: &[u8]) -> Result<()> {
        self.touch()?;
        let (Some(level), Some(trail)) = (self.levels.last_mut(), &self.trail) else {
            return Ok(());
        };
        let (extended, entry) = (&mut level.extended, &mut level.entry);
        match extended.give(trail.here(), (name, value), entry) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.invalid("a folder has too many attributes")),
            Err(error) => Err(self.failed("write", c"", error)),
        }
    }

    /// Removes what was not named, and gives the folder what it has.
    pub(super) fn leave(&mut self, attributes: &Attributes) -> Result<()> {
        self.remove_rest()?;
        let Some(level) = self.levels.pop() else {
            return Ok(());
        };
        let digest = level.entry.end(attributes, b"");
        if level.touched || level.known != Some(digest) {
            let here = self.here();
            let given = level
                .extended
                .end(here)
                .and_then(|()| attributes.give_file(here))
                .and_then(|()| fstat(here));
            let about = given.map_err(|error| self.failed("write", c"", error))?;
            self.index.set(&about, digest);
            let here = rustix::io::dup(self.here());
            self.fresh
                .add(here.map_err(|error| self.failed("open", c"", error))?);
        }
        if self.levels.is_empty() {
            self.owner = Some(attributes.owner());
        }
        let back = self.trail.as_mut().map_or(Ok(false), Trail::back);
        back.map_err(|error| self.failed("open", c"..", error))?;
        Ok(())
    }

    fn remove_rest(&mut self) -> Result<()> {
        let mut gone = Names::default();
        let names = self.levels.last().map(|level| &level.names);
        let here =
            open_folder(self.here(), ".").map_err(|error| self.failed("read", c"", error))?;
        let read = Reader::default().each(here, |name, _| {
            if names.is_some_and(|names| !names.contains(name)) {
                gone.push(name);
            }
            Ok::<(), Errno>(())
        });
        read.map_err(|error| self.failed("read", c"", error))?;
        while let Some(name) = gone.pop() {
            self.clear(&name)?;
        }
        Ok(())
    }

    /// Notes a name of the current folder.
    pub(super) fn name(&mut self, name: &CStr) -> Result<()> {
        let new = self
            .levels
            .last_mut()
            .is_some_and(|level| level.names.insert(name.to_owned()));
        if !new {
            return Err(self.invalid("a folder has a name twice"));
        }
        Ok(())
    }

    /// What has that name.
    pub(super) fn there(&self, name: &CStr) -> Result<Option<FileType>> {
        match stat(self.here(), name) {
            Ok(there) => Ok(Some(FileType::from_raw_mode(there.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("look at", name, error)),
        }
    }

    /// Makes room for something of that name.
    pub(super) fn clear(&mut self, name: &CStr) -> Result<()> {
        self.touch()?;
        self.room.charge(PER_NAME)?;
        remove(self.here(), name).map_err(|error| self.failed("remove", name, error))
    }

    /// To be called before the current folder is changed. A default ACL would be given on to what
    /// is made in it.
    pub(super) fn touch(&mut self) -> Result<()> {
        let Some(level) = self.levels.last_mut().filter(|level| !level.touched) else {
            return Ok(());
        };
        level.touched = true;
        let here = self.here();
        let opened = fchmod(here, Mode::RWXU).and_then(|()| fremovexattr(here, DEFAULT_ACL));
        match opened {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
            Err(error) => Err(self.failed("open", c"", error)),
        }
    }
}
