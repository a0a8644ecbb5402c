//! The receiver's tree, as it is built by the steps that come.

use super::file::File;
use super::folder::Level;
use super::index::Index;
use crate::Result;
use crate::archive::Place;
use crate::error::VolumeError;
use crate::files::own_folder;
use crate::fresh::Fresh;
use crate::links::Links;
use crate::room::Room;
use crate::snapshot::DATA;
use crate::trail::Trail;
use crate::transfer::op::Op;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::CStr;

/// The folder beside the tree with a name for each file that has several.
pub(super) const LINKS: &str = "links";

pub(super) struct Build<'p> {
    pub place: &'p Place,
    pub room: &'p Room<'p>,
    pub index: Index,
    pub fresh: Fresh,
    pub links: Links,
    /// The numbers of what has several names, and was named in this walk.
    pub linked: HashSet<u64>,
    pub trail: Option<Trail>,
    pub levels: Vec<Level>,
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

    pub(super) fn here(&self) -> BorrowedFd<'_> {
        let here = self.trail.as_ref().map(Trail::here);
        here.unwrap_or_else(|| self.place.fd())
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
