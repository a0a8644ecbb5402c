//! The receiver's tree, as it is built by the steps that come.

use super::digest::{Digest, Entry, Kind};
use super::file::File;
use super::index::Index;
use super::op::Op;
use crate::Result;
use crate::archive::Place;
use crate::attributes::{Attributes, DEFAULT_ACL, keep_extended, set_extended};
use crate::error::VolumeError;
use crate::files::{Inode, open_folder, own_folder, stat};
use crate::fresh::Fresh;
use crate::links::Links;
use crate::names::{Names, Reader};
use crate::remove::remove;
use crate::room::Room;
use crate::snapshot::DATA;
use crate::trail::Trail;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, chmodat, fchmod, fremovexattr, fstat, mkdirat};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::{CStr, CString};

/// The folder beside the tree with a name for each file that has several.
pub(super) const LINKS: &str = "links";
/// About what a name takes beside its data.
const PER_NAME: u64 = 1024;

pub(super) struct Build<'p> {
    place: &'p Place,
    pub room: &'p Room<'p>,
    pub index: Index,
    pub fresh: Fresh,
    pub links: Links,
    /// The numbers of what has several names, and was named in this walk.
    pub linked: HashSet<u64>,
    pub trail: Option<Trail>,
    levels: Vec<Level>,
    /// The files that this batch is about; the last one may go on in the next.
    pub files: Vec<File>,
    /// Whether each block of this batch has to come.
    pub wanted: Vec<bool>,
    /// How many bytes of files came.
    pub received: u64,
    /// Whether each file that the sender takes for known is here as it was sent.
    pub known: Vec<bool>,
    /// Whether one was not, in this walk.
    pub lost: bool,
    /// Whose the tree's root is.
    pub owner: Option<(u32, u32)>,
}

/// A folder on the way down.
struct Level {
    /// What is known of it, if it is as it was.
    known: Option<Digest>,
    entry: Entry,
    extended: Vec<Vec<u8>>,
    names: HashSet<CString>,
    /// It is open for changes, and gets its attributes anew in the end.
    touched: bool,
}

impl Level {
    fn new(known: Option<Digest>, touched: bool) -> Self {
        Self {
            known,
            entry: Entry::new(Kind::Folder),
            extended: Vec::new(),
            names: HashSet::new(),
            touched,
        }
    }
}

impl<'p> Build<'p> {
    pub(super) fn new(place: &'p Place, room: &'p Room<'p>) -> Result<Self> {
        Ok(Self {
            place,
            room,
            index: Index::read(place.fd(), &place.store.path)?,
            fresh: Fresh::default(),
            links: Links(own_folder(place.fd(), LINKS, &place.store.path)?),
            linked: HashSet::new(),
            trail: None,
            levels: Vec::new(),
            files: Vec::new(),
            wanted: Vec::new(),
            received: 0,
            known: Vec::new(),
            lost: false,
            owner: None,
        })
    }

    /// Whether the walk is at its end.
    pub(super) fn is_whole(&self) -> bool {
        self.levels.is_empty() && !self.is_in_file()
    }

    pub(super) fn is_in_file(&self) -> bool {
        self.files.last().is_some_and(|file| !file.is_at_end())
    }

    /// Does what a batch says, but for the blocks that have to come.
    pub(super) fn batch(&mut self, mut steps: &[u8]) -> Result<()> {
        self.known.clear();
        self.wanted.clear();
        while !steps.is_empty() {
            let op = Op::take(&mut steps).ok_or_else(|| self.invalid("a step is none"))?;
            self.step(&op)?;
        }
        Ok(())
    }

    fn step(&mut self, op: &Op<'_>) -> Result<()> {
        if self.is_in_file() {
            return self.in_file(op);
        }
        if let Op::Begin = op {
            return self.begin();
        }
        if self.levels.is_empty() {
            return Err(self.invalid("a step leads nowhere"));
        }
        match *op {
            Op::Enter { name } => self.enter(name),
            Op::Leave { attributes } => self.leave(&attributes),
            Op::Extended { name, value } => self.extended(name, value),
            Op::Known { name, link, digest } => self.known(name, link, &digest),
            Op::Link { name, link } => self.link(name, link),
            Op::File { name, link } => self.file(name, link),
            Op::Symlink {
                name,
                link,
                target,
                attributes,
            } => self.symlink(name, link, target, &attributes),
            Op::Fifo {
                name,
                link,
                attributes,
            } => self.fifo(name, link, &attributes),
            _ => Err(self.invalid("a step is of a file, where there is none")),
        }
    }

    fn begin(&mut self) -> Result<()> {
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

    fn enter(&mut self, name: &CStr) -> Result<()> {
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

    fn extended(&mut self, name: &CStr, value: &[u8]) -> Result<()> {
        self.touch()?;
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        level.entry.extended(name.to_bytes(), value);
        level.extended.push(name.to_bytes().to_vec());
        let set = set_extended(self.here(), name.to_bytes(), value);
        set.map_err(|error| self.failed("write", c"", error))
    }

    /// Removes what was not named, and gives the folder what it has.
    fn leave(&mut self, attributes: &Attributes) -> Result<()> {
        self.remove_rest()?;
        let Some(level) = self.levels.pop() else {
            return Ok(());
        };
        let digest = level.entry.end(attributes, b"");
        if level.touched || level.known != Some(digest) {
            let here = self.here();
            let given = keep_extended(here, &level.extended)
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

    pub(super) fn here(&self) -> BorrowedFd<'_> {
        let here = self.trail.as_ref().map(Trail::here);
        here.unwrap_or_else(|| self.place.fd())
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

    pub(super) fn root(&self) -> Result<OwnedFd> {
        own_folder(self.place.fd(), DATA, &self.place.store.path)
    }

    pub(super) fn failed(&self, action: &'static str, name: &CStr, error: Errno) -> VolumeError {
        let name = name.to_string_lossy();
        let path = format!("{}/…/{}", self.place.store.at(DATA), name.escape_debug());
        VolumeError::io(action, path, error)
    }

    pub(super) fn invalid(&self, cause: &'static str) -> VolumeError {
        VolumeError::TransferInvalid {
            volume: self.room.volume().to_owned(),
            cause,
        }
    }

    pub(super) fn mismatch(&self, cause: &str) -> VolumeError {
        VolumeError::TransferMismatch {
            volume: self.room.volume().to_owned(),
            cause: cause.to_owned(),
        }
    }

    /// All that was made is on the disk then.
    pub(super) fn sync(&self) -> Result<()> {
        let synced = self.fresh.sync(self.root()?.as_fd());
        synced.map_err(|error| VolumeError::io("sync", &self.place.store.path, error))
    }
}
