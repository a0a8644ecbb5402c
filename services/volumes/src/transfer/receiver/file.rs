//! A file that is being received.

use super::build::Build;
use super::extended::Extended;
use crate::Result;
use crate::attributes::Attributes;
use crate::transfer::blocks::{clear, read_block, write_block};
use crate::transfer::digest::{BLOCK, BLOCK_BYTES, Content, Digest, Entry, Kind, of_block};
use crate::transfer::op::Op;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{Advice, Stat, fadvise, fdatasync, fstat, ftruncate};
use rustix::io::Errno;

pub(super) struct File {
    data: OwnedFd,
    /// How long it was before.
    was: u64,
    /// How far it came.
    at: u64,
    /// A block that was not full was the last.
    short: bool,
    extended: Extended,
    entry: Entry,
    content: Content,
    /// The blocks that are still to come in this batch.
    wanted: Vec<Block>,
    /// Those that came in this batch.
    written: Vec<Block>,
    /// It has more blocks than one batch: they are read back with each.
    is_long: bool,
    end: Option<(u64, Attributes)>,
}

#[derive(Clone, Copy)]
pub(super) struct Block {
    at: u64,
    length: u32,
    digest: Digest,
}

/// One that is whole.
pub(super) struct Finished {
    pub file: OwnedFd,
    pub about: Stat,
    pub digest: Digest,
    /// The digest of its data, if they are still to be read back.
    pub unread: Option<Digest>,
}

/// Why a step is none of a file.
pub(super) enum Refused {
    Errno(Errno),
    Invalid(&'static str),
}

impl From<Errno> for Refused {
    fn from(error: Errno) -> Self {
        Self::Errno(error)
    }
}

impl File {
    pub(super) fn new(file: OwnedFd, was: u64) -> Self {
        Self {
            data: file,
            was,
            at: 0,
            short: false,
            extended: Extended::default(),
            entry: Entry::new(Kind::File),
            content: Content::default(),
            wanted: Vec::new(),
            written: Vec::new(),
            is_long: false,
            end: None,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.end.is_some()
    }

    /// Takes a step of this file; whether a block is wanted, if it was one.
    fn step(&mut self, op: &Op<'_>) -> Result<Option<bool>, Refused> {
        match *op {
            Op::Extended { name, value } => {
                let (data, entry) = (self.data.as_fd(), &mut self.entry);
                if !self.extended.give(data, (name, value), entry)? {
                    return Err(Refused::Invalid("a file has too many attributes"));
                }
            }
            Op::Zeros { blocks } => self.zeros(blocks)?,
            Op::Block { length, digest } => return self.block(length, digest).map(Some),
            Op::End { size, attributes } => {
                let rest = self.at.checked_sub(size);
                if rest.is_none_or(|rest| rest >= BLOCK_BYTES || (self.short && rest > 0)) {
                    return Err(Refused::Invalid("a file's end is not where its blocks end"));
                }
                ftruncate(&self.data, size)?;
                self.end = Some((size, attributes));
            }
            _ => return Err(Refused::Invalid("a file has no end")),
        }
        Ok(None)
    }

    fn zeros(&mut self, blocks: u64) -> Result<(), Refused> {
        let length = blocks.checked_mul(BLOCK_BYTES).filter(|_| !self.short);
        let end = length.and_then(|length| self.at.checked_add(length));
        // No file is longer.
        let end = end.filter(|end| *end <= i64::MAX.cast_unsigned());
        let end = end.ok_or(Refused::Invalid("a file is too long"))?;
        clear(self.data.as_fd(), self.at, end.min(self.was))?;
        self.content.zeros(blocks);
        self.at = end;
        Ok(())
    }

    fn block(&mut self, length: u32, digest: Digest) -> Result<bool, Refused> {
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if self.short || size == 0 || size > BLOCK {
            return Err(Refused::Invalid("a block has no possible length"));
        }
        let block = Block {
            at: self.at,
            length,
            digest,
        };
        // A block that is there, as of an earlier pass that broke off, need not come again.
        let has = block.at < self.was && self.has(&block)?;
        if !has {
            self.wanted.push(block);
        }
        self.content.block(&digest);
        self.short = size < BLOCK;
        self.at += u64::from(length);
        Ok(!has)
    }

    fn has(&self, block: &Block) -> Result<bool, Errno> {
        let length = usize::try_from(block.length).unwrap_or(BLOCK);
        let there = read_block(self.data.as_fd(), block.at, length)?;
        Ok(there.len() == length && of_block(&there) == block.digest)
    }

    /// Writes the blocks that are wanted, which `next` gives one after the other. False if one is not
    /// what was announced.
    fn fill(&mut self, next: &mut dyn FnMut() -> Result<Vec<u8>>) -> Result<Result<bool, Errno>> {
        for block in std::mem::take(&mut self.wanted) {
            let data = next()?;
            if data.len() != usize::try_from(block.length).unwrap_or(0)
                || of_block(&data) != block.digest
            {
                return Ok(Ok(false));
            }
            if let Err(error) = write_block(self.data.as_fd(), block.at, &data) {
                return Ok(Err(error));
            }
            self.written.push(block);
        }
        Ok(Ok(true))
    }

    /// Reads from the disk what was written in this batch. False if that is something else.
    fn read_back(&mut self) -> Result<bool, Errno> {
        self.is_long = true;
        let written = std::mem::take(&mut self.written);
        if written.is_empty() {
            return Ok(true);
        }
        fdatasync(&self.data)?;
        fadvise(&self.data, 0, None, Advice::DontNeed)?;
        for block in &written {
            if !self.has(block)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn finish(self, size: u64, attributes: &Attributes) -> Result<Finished, Errno> {
        self.extended.end(self.data.as_fd())?;
        attributes.give_file(self.data.as_fd())?;
        let content = self.content.end(size);
        Ok(Finished {
            about: fstat(&self.data)?,
            digest: self.entry.end(attributes, &content),
            unread: (!self.is_long).then_some(content),
            file: self.data,
        })
    }
}

impl Build<'_> {
    /// A step of the file that has not come to its end.
    pub(super) fn in_file(&mut self, op: &Op<'_>) -> Result<()> {
        let Some(file) = self.files.last_mut() else {
            return Ok(());
        };
        match file.step(op) {
            Ok(wanted) => self.wanted.extend(wanted),
            Err(Refused::Errno(error)) => return Err(self.failed("write", c"", error)),
            Err(Refused::Invalid(cause)) => return Err(self.invalid(cause)),
        }
        Ok(())
    }

    /// Takes the blocks of this batch that are wanted, and ends the files that are whole then.
    pub(super) fn fill(&mut self, next: &mut dyn FnMut() -> Result<Vec<u8>>) -> Result<()> {
        for mut file in std::mem::take(&mut self.files) {
            let room = self.room;
            let mut count = 0;
            let mut next = || {
                let block = next()?;
                count += block.len() as u64;
                room.charge(block.len() as u64)?;
                Ok(block)
            };
            let filled = file.fill(&mut next)?;
            self.received += count;
            let failed = |error| self.failed("write", c"", error);
            if !filled.map_err(failed)? {
                return Err(self.mismatch("a block differs"));
            }
            let Some((size, attributes)) = file.end else {
                if !file.read_back().map_err(failed)? {
                    return Err(self.mismatch("a block is another on the disk"));
                }
                self.files.push(file);
                continue;
            };
            if file.is_long && !file.read_back().map_err(failed)? {
                return Err(self.mismatch("a block is another on the disk"));
            }
            let finished = file.finish(size, &attributes).map_err(failed)?;
            self.index.set(&finished.about, finished.digest);
            if let Some(content) = finished.unread {
                self.index.read_later(&finished.about, content);
            }
            self.fresh.add(finished.file);
        }
        Ok(())
    }
}
