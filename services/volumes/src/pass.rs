//! One pass over a tree and its copy.

use crate::Result;
use crate::backup::Older;
use crate::contents::Sharing;
use crate::error::VolumeError;
use crate::files::stat;
use crate::freeze::LONGEST;
use crate::fresh::Fresh;
use crate::links::Links;
use crate::measure::Measure;
use crate::names::{Names, Reader};
use crate::room::Room;
use crate::seen::Seen;
use crate::trail::Trail;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{Stat, fstat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::time::Instant;

/// What a pass is about.
pub(crate) enum Kind {
    /// The tree may change meanwhile: what does is left to the second pass. So is all beyond so
    /// many names, or somebody who makes new ones all the time would keep us for ever.
    First(Seen, u64),
    /// Nothing changes meanwhile. What the first pass saw, and is still so, stays as it is.
    Second(Seen),
    /// The same without a first pass.
    Only,
}

/// Where a pass puts things.
pub(crate) struct Place<'a> {
    /// Where what is gone from the tree is put: removing it may take time.
    pub junk: BorrowedFd<'a>,
    pub links: Links,
    /// Where file descriptors can be opened anew.
    pub descriptors: OwnedFd,
    pub sharing: Sharing,
    pub room: &'a Room<'a>,
}

pub(crate) struct Pass<'a> {
    pub source: Trail,
    pub target: Trail,
    pub kind: Kind,
    pub place: Place<'a>,
    pub measure: Measure,
    pub fresh: Fresh,
    /// What did not change since then is shared with it.
    pub older: Option<Older>,
    pub levels: Vec<Level>,
    pub reader: Reader,
    /// How much was put away.
    pub junk: u64,
    /// How often something changed meanwhile, in a pass in which nothing should.
    pub changes: u32,
    /// When what writes to the tree has been held still for too long.
    pub until: Option<Instant>,
}

/// A folder on the way down.
pub(crate) struct Level {
    pub name: CString,
    pub original: Stat,
    /// The number of the copy's inode.
    pub copy: u64,
    /// The names in there that are still to be done: folders, and what changed meanwhile.
    pub left: Names,
    /// It is as the first pass saw it: no name came or went since.
    pub unchanged: bool,
    /// Its copy was made in this pass, so it was empty.
    pub made: bool,
    /// Its copy is open for changes, and gets its attributes anew in the end.
    pub touched: bool,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        source: OwnedFd,
        target: OwnedFd,
        kind: Kind,
        place: Place<'a>,
    ) -> Result<Self> {
        let failed = |error| VolumeError::io("look at", place.room.volume(), error);
        Ok(Self {
            source: Trail::new(source).map_err(failed)?,
            target: Trail::new(target).map_err(failed)?,
            kind,
            place,
            measure: Measure::default(),
            fresh: Fresh::default(),
            older: None,
            levels: Vec::new(),
            reader: Reader::default(),
            junk: 0,
            changes: 0,
            until: None,
        })
    }

    /// Makes the copy what the tree is.
    pub(crate) fn run(&mut self) -> Result<()> {
        let [root, copy] = [self.source.here(), self.target.here()].map(fstat);
        let root = root.map_err(|error| self.failed("look at", c"", error))?;
        let copy = copy.map_err(|error| self.failed("look at", c"", error))?;
        let made = !matches!(self.kind, Kind::Second(_));
        self.enter(CString::default(), root, copy.st_ino, made)?;
        while !self.is_enough()
            && let Some(level) = self.levels.last_mut()
        {
            if let Some(name) = level.left.pop() {
                self.next(name)?;
            } else if !self.leave()? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The same, in time for those who wait.
    pub(crate) fn run_frozen(&mut self) -> Result<()> {
        self.until = Some(Instant::now() + LONGEST);
        self.run()
    }

    pub(crate) fn is_first(&self) -> bool {
        matches!(self.kind, Kind::First(..))
    }

    /// Whether the first pass is at its end, done or not.
    pub(crate) fn is_enough(&self) -> bool {
        matches!(self.kind, Kind::First(_, most) if self.measure.inodes() > most)
    }

    /// Whether the copy that has this name in the current folder is what `original` still is.
    pub(crate) fn is_copied(&self, name: &CStr, original: &Stat) -> bool {
        let Kind::Second(seen) = &self.kind else {
            return false;
        };
        let Some(copy) = seen.copy_of(original) else {
            return false;
        };
        // Its only name, in a folder of which no name has changed: it was copied to that name.
        let settled =
            original.st_nlink == 1 && self.levels.last().is_some_and(|level| level.unchanged);
        settled || stat(self.target.here(), name).is_ok_and(|there| there.st_ino == copy)
    }

    /// Remembers what the copy is made of, for the second pass.
    pub(crate) fn saw(&mut self, copy: u64, original: &Stat) {
        if let Kind::First(seen, _) = &mut self.kind {
            seen.add(copy, original);
        }
    }

    /// Whether nobody waits for too long.
    pub(crate) fn in_time(&self) -> Result<()> {
        if self.until.is_some_and(|until| Instant::now() > until) {
            return Err(too_long(self.place.room.volume()));
        }
        Ok(())
    }

    /// Goes down into a folder: copies what is in there but the folders, which it notes.
    pub(crate) fn enter(
        &mut self,
        name: CString,
        original: Stat,
        copy: u64,
        made: bool,
    ) -> Result<()> {
        let unchanged = match &self.kind {
            Kind::Second(seen) => seen.copy_of(&original) == Some(copy),
            _ => false,
        };
        self.levels.push(Level {
            name,
            original,
            copy,
            left: Names::default(),
            unchanged,
            made,
            touched: made,
        });
        self.entries()?;
        if unchanged || made || self.is_first() {
            return Ok(());
        }
        self.clear_what_is_gone()
    }

    /// Goes back up; false if the first pass can't.
    fn leave(&mut self) -> Result<bool> {
        self.finish_folder()?;
        match self.source.back() {
            // Somebody moved the folder: what is left is the second pass's.
            Err(Errno::STALE | Errno::NOENT) if self.is_first() => return Ok(false),
            Err(Errno::STALE | Errno::NOENT) => return Err(self.changing(c"..")),
            other => other.map_err(|error| self.failed("open", c"..", error))?,
        };
        let back = self.target.back();
        back.map_err(|error| self.failed("open", c"..", error))?;
        let back = self.older.as_mut().map_or(Ok(()), Older::back);
        back.map_err(|error| self.failed("open", c"..", error))?;
        self.levels.pop();
        Ok(true)
    }

    /// Where something is, for people.
    fn path(&self, name: &CStr) -> String {
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
        VolumeError::io(action, path, error)
    }

    pub(crate) fn changing(&self, name: &CStr) -> VolumeError {
        VolumeError::Changing {
            volume: self.place.room.volume().to_owned(),
            path: self.path(name),
        }
    }
}

/// A copy of which somebody would notice how long it takes.
pub(crate) fn too_long(volume: &str) -> VolumeError {
    VolumeError::Freeze {
        volume: volume.to_owned(),
        cause: format!("its copy takes longer than {} s", LONGEST.as_secs()),
    }
}
