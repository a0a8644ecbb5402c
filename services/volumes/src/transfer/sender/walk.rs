//! The sender's way through the tree.

use super::batch::Batch;
use super::state::State;
use crate::Result;
use crate::attributes::Attributes;
use crate::error::VolumeError;
use crate::files::{Inode, open_folder, stat};
use crate::leaf::descriptors;
use crate::names::{Names, Reader};
use crate::trail::Trail;
use crate::transfer::Sent;
use crate::transfer::digest::{Digest, Entry, Kind, Tree};
use crate::transfer::op::Op;
use crate::transfer::wire::Wire;
use crate::volume::Volume;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Stat, fstat};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::io::{Read, Write};
use std::mem;

pub(super) struct Walk<'w, 's, S> {
    volume: &'w Volume,
    wire: &'w mut Wire<'s, S>,
    pub(super) state: &'w mut State,
    pub(super) batch: Batch,
    reader: Reader,
    pub(super) descriptors: OwnedFd,
    levels: Vec<Level>,
    /// What has several names, and was named: its digest.
    linked: HashMap<u64, Digest>,
    tree: Tree,
    /// Whether the receiver has lost something in this walk.
    lost: bool,
    /// While others write, no more names than that.
    most: Option<u64>,
    pub sent: Sent,
}

/// A folder on the way down.
struct Level {
    original: Stat,
    path: Digest,
    /// The folders in there that are still to be gone through.
    left: Names,
}

impl<'w, 's, S: Read + Write> Walk<'w, 's, S> {
    pub(super) fn new(
        volume: &'w Volume,
        wire: &'w mut Wire<'s, S>,
        state: &'w mut State,
        most: Option<u64>,
    ) -> Result<Self> {
        Ok(Self {
            volume,
            wire,
            state,
            batch: Batch::default(),
            reader: Reader::default(),
            descriptors: descriptors()?,
            levels: Vec::new(),
            linked: HashMap::new(),
            tree: Tree::default(),
            lost: false,
            most,
            sent: Sent::default(),
        })
    }

    /// Goes through the tree; whether to its end, which it may have none of while others write.
    pub(super) fn run(&mut self, root: &OwnedFd) -> Result<(Tree, bool)> {
        let failed = |error| VolumeError::io("open", self.volume.tree_path(), error);
        let root = open_folder(root, ".").map_err(failed)?;
        let original = fstat(&root).map_err(failed)?;
        let mut trail = Trail::new(root).map_err(failed)?;
        if mem::take(&mut self.lost) {
            self.state.again();
        }
        self.levels.clear();
        self.linked.clear();
        self.tree = Tree::default();
        self.sent.files = 0;
        self.step(&Op::Begin)?;
        self.enter(&trail, original, Tree::path(&Tree::ROOT, b""))?;
        let mut whole = true;
        while whole && let Some(level) = self.levels.last_mut() {
            whole = match level.left.pop() {
                Some(name) => self.down(&mut trail, &name)?,
                None => self.up(&mut trail)?,
            };
            whole &= !self.is_enough();
        }
        self.flush()?;
        Ok((self.tree, whole))
    }

    /// Whether the receiver does not have what it had: then another walk is needed.
    pub(super) fn lost_some(&self) -> bool {
        self.lost
    }

    fn is_enough(&self) -> bool {
        self.most.is_some_and(|most| self.tree.names > most)
    }

    pub(super) fn step(&mut self, op: &Op<'_>) -> Result<()> {
        self.batch.push(op);
        if self.batch.is_full() {
            return self.flush();
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        let (state, lost) = (&mut *self.state, &mut self.lost);
        self.sent.sent += self.batch.send(self.wire, |inode| {
            *lost = true;
            state.lose(inode);
        })?;
        Ok(())
    }

    /// Sends what is in the current folder but the folders, which it notes.
    fn enter(&mut self, trail: &Trail, original: Stat, path: Digest) -> Result<()> {
        self.levels.push(Level {
            original,
            path,
            left: Names::default(),
        });
        let mut reader = mem::take(&mut self.reader);
        let mut failed = None;
        // A folder that changes may have a name twice as it is read.
        let mut names = HashSet::new();
        let read = reader.each(trail.here(), |name, _| {
            if self.most.is_some() && !names.insert(name.to_owned()) {
                return Ok(());
            }
            match self.entry(trail.here(), name) {
                Ok(()) if !self.is_enough() => return Ok(()),
                Ok(()) => {}
                Err(error) => failed = Some(error),
            }
            Err(Errno::CANCELED)
        });
        self.reader = reader;
        match (failed, read) {
            (Some(error), _) => Err(error),
            (None, Ok(()) | Err(Errno::CANCELED)) => Ok(()),
            (None, Err(error)) => Err(self.failed("read", c"", error)),
        }
    }

    fn entry(&mut self, at: BorrowedFd<'_>, name: &CStr) -> Result<()> {
        let original = match stat(at, name) {
            Ok(original) => original,
            Err(Errno::NOENT) => return self.changed(name).map(|_| ()),
            Err(error) => return Err(self.failed("look at", name, error)),
        };
        let kind = FileType::from_raw_mode(original.st_mode);
        if kind == FileType::Directory {
            if let Some(level) = self.levels.last_mut() {
                level.left.push(name);
            }
            return Ok(());
        }
        let link = if original.st_nlink > 1 {
            original.st_ino
        } else {
            0
        };
        if let Some(digest) = self.linked.get(&link).copied() {
            self.tree.links += 1;
            self.add(name, &digest);
            return self.step(&Op::Link { name, link });
        }
        let digest = match kind {
            FileType::RegularFile => self.file(at, name, link, &original)?,
            FileType::Symlink => self.symlink(at, name, link, &original)?,
            FileType::Fifo => {
                let attributes = Attributes::of(&original);
                self.step(&Op::Fifo {
                    name,
                    link,
                    attributes,
                })?;
                Some(Entry::new(Kind::Fifo).end(&attributes, b""))
            }
            // Devices and sockets are left out.
            _ => None,
        };
        let Some(digest) = digest else { return Ok(()) };
        if link != 0 {
            self.linked.insert(link, digest);
        }
        self.sent.files += 1;
        self.add(name, &digest);
        Ok(())
    }

    fn add(&mut self, name: &CStr, entry: &Digest) {
        if let Some(level) = self.levels.last() {
            let path = Tree::path(&level.path, name.to_bytes());
            self.tree.add(&path, entry);
        }
    }

    /// Down into a folder of the current one. False where the way ends.
    fn down(&mut self, trail: &mut Trail, name: &CStr) -> Result<bool> {
        let folder = match open_folder(trail.here(), name) {
            Ok(folder) => folder,
            // What is mounted in the volume is not of it; the folder that it hides is.
            Err(Errno::XDEV) => return self.hidden(name).map(|()| true),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
                return self.changed(name).map(|_| true);
            }
            Err(error) => return Err(self.failed("read", name, error)),
        };
        let original = fstat(&folder).map_err(|error| self.failed("look at", name, error))?;
        trail.enter(folder, Inode::of(&original));
        self.step(&Op::Enter { name })?;
        let above = self.levels.last().map_or(Tree::ROOT, |level| level.path);
        self.enter(trail, original, Tree::path(&above, name.to_bytes()))?;
        Ok(true)
    }

    fn hidden(&mut self, name: &CStr) -> Result<()> {
        let Some(level) = self.levels.last() else {
            return Ok(());
        };
        let attributes = Attributes::of(&level.original);
        self.step(&Op::Enter { name })?;
        self.step(&Op::Leave { attributes })?;
        self.add(name, &Entry::new(Kind::Folder).end(&attributes, b""));
        Ok(())
    }

    /// Back up. False if somebody moved the folder meanwhile.
    fn up(&mut self, trail: &mut Trail) -> Result<bool> {
        let entry = self.extended(trail.here(), c".", Entry::new(Kind::Folder))?;
        let Some(level) = self.levels.pop() else {
            return Ok(true);
        };
        let attributes = Attributes::of(&level.original);
        self.step(&Op::Leave { attributes })?;
        self.tree.add(&level.path, &entry.end(&attributes, b""));
        match trail.back() {
            Err(Errno::STALE | Errno::NOENT) => self.changed(c"..").map(|_| false),
            other => other
                .map(|_| true)
                .map_err(|error| self.failed("open", c"..", error)),
        }
    }

    /// While others write, what changes is left to the last pass.
    pub(super) fn changed(&self, name: &CStr) -> Result<Option<Digest>> {
        if self.most.is_some() {
            return Ok(None);
        }
        Err(VolumeError::Changing {
            volume: self.volume.name.clone(),
            path: name.to_string_lossy().escape_debug().to_string(),
        })
    }

    pub(super) fn failed(&self, action: &'static str, name: &CStr, error: Errno) -> VolumeError {
        let name = name.to_string_lossy();
        let path = format!("{}/…/{}", self.volume.tree_path(), name.escape_debug());
        VolumeError::io(action, path, error)
    }
}
