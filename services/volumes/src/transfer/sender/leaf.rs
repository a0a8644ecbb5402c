//! What the sender says of files and links.

use super::walk::Walk;
use crate::Result;
use crate::attributes::{Attributes, each_extended, list};
use crate::leaf::open_regular;
use crate::seen::{changed, modified};
use crate::transfer::blocks::{Blocks, Piece};
use crate::transfer::digest::{Content, Digest, Entry, Kind, of_block};
use crate::transfer::op::Op;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{Stat, fstat, readlinkat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::io::{Read, Write};

impl<S: Read + Write> Walk<'_, '_, S> {
    pub(super) fn symlink(
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

    pub(super) fn file(
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

    pub(super) fn extended(
        &mut self,
        file: BorrowedFd<'_>,
        name: &CStr,
        mut entry: Entry,
    ) -> Result<Entry> {
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
}
