//! The sender's way through the tree.

use super::Sent;
use super::batch::Batch;
use super::blocks::{Blocks, Piece};
use super::digest::{Content, Digest, Entry, Kind, Tree, of_block};
use super::op::Op;
use super::state::State;
use super::wire::Wire;
use crate::Result;
use crate::attributes::{Attributes, each_extended, list};
use crate::error::VolumeError;
use crate::files::{Inode, open_folder, stat};
use crate::leaf::{descriptors, open_regular};
use crate::names::{Names, Reader};
use crate::seen::{changed, modified};
use crate::trail::Trail;
use crate::volume::Volume;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Stat, fstat, readlinkat};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString};
use std::io::{Read, Write};
use std::mem;

pub(super) struct Walk<'w, 's, S> {
    volume: &'w Volume,
    wire: &'w mut Wire<'s, S>,
    state: &'w mut State,
    batch: Batch,
    reader: Reader,
    descriptors: OwnedFd,
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

    fn step(&mut self, op: &Op<'_>) -> Result<()> {
        self.batch.push(op);
        if self.batch.is_full() {
            return self.flush();
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
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

    fn symlink(
        &mut self,
        at: BorrowedFd<'_>,
        name: &CStr,
        link: u64,
        original: &Stat,
    ) -> Result<Option<Digest>> {
        let target: CString = match readlinkat(at, name, Vec::new()) {
            Ok(target) => target,
            Err(Errno::NOENT | Errno::INVAL) => return self.changed(name),
            Err(error) => return Err(self.failed("read", name, error)),
        };
        let attributes = Attributes::of(original);
        self.step(&Op::Symlink {
            name,
            link,
            target: &target,
            attributes,
        })?;
        Ok(Some(
            Entry::new(Kind::Symlink).end(&attributes, target.to_bytes()),
        ))
    }

    fn file(
        &mut self,
        at: BorrowedFd<'_>,
        name: &CStr,
        link: u64,
        original: &Stat,
    ) -> Result<Option<Digest>> {
        if let Some(digest) = self.state.known(original) {
            self.batch.known(original.st_ino);
            self.step(&Op::Known { name, link, digest })?;
            return Ok(Some(digest));
        }
        let (file, original) = match open_regular(&self.descriptors, at, name, original) {
            Ok(Some(opened)) => opened,
            Ok(None) | Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::AGAIN) => {
                return self.changed(name);
            }
            // Mounted over.
            Err(Errno::XDEV) => return Ok(None),
            Err(error) => return Err(self.failed("read", name, error)),
        };
        self.step(&Op::File { name, link })?;
        let entry = self.extended(file.as_fd(), name, Entry::new(Kind::File))?;
        let mut content = Content::default();
        let size = u64::try_from(original.st_size).unwrap_or(0);
        let mut blocks = Blocks::new(file.as_fd(), size);
        while let Some(piece) = blocks
            .next()
            .map_err(|error| self.failed("read", name, error))?
        {
            match piece {
                Piece::Zeros(count) => {
                    content.zeros(count);
                    self.step(&Op::Zeros { blocks: count })?;
                }
                Piece::Block(block) => {
                    let digest = of_block(&block);
                    content.block(&digest);
                    self.batch.block(block, digest);
                    if self.batch.is_full() {
                        self.flush()?;
                    }
                }
            }
        }
        self.sent.read += blocks.read;
        let (size, attributes) = (blocks.size, Attributes::of(&original));
        let now = fstat(&file).map_err(|error| self.failed("look at", name, error))?;
        if (modified(&now), changed(&now)) != (modified(&original), changed(&original)) {
            self.changed(name)?;
        }
        self.step(&Op::End { size, attributes })?;
        let digest = entry.end(&attributes, &content.end(size));
        self.state.add(&original, digest);
        Ok(Some(digest))
    }

    fn extended(&mut self, file: BorrowedFd<'_>, name: &CStr, mut entry: Entry) -> Result<Entry> {
        let names = list(file).map_err(|error| self.failed("read", name, error))?;
        let mut failed = None;
        let read = each_extended(file, names, |its, value| {
            entry.extended(its, value);
            let its = CString::new(its).map_err(|_| Errno::INVAL)?;
            let step = self.step(&Op::Extended { name: &its, value });
            step.map_err(|error| {
                failed = Some(error);
                Errno::CANCELED
            })
        });
        match (failed, read) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(self.failed("read", name, error)),
            (None, Ok(())) => Ok(entry),
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
    fn changed(&self, name: &CStr) -> Result<Option<Digest>> {
        if self.most.is_some() {
            return Ok(None);
        }
        Err(VolumeError::Changing {
            volume: self.volume.name.clone(),
            path: name.to_string_lossy().escape_debug().to_string(),
        })
    }

    fn failed(&self, action: &'static str, name: &CStr, error: Errno) -> VolumeError {
        let name = name.to_string_lossy();
        let path = format!("{}/…/{}", self.volume.tree_path(), name.escape_debug());
        VolumeError::io(action, path, error)
    }
}
