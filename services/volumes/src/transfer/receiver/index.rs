//! What the receiver has: the digest of each inode that is as it was when that was found right.

use crate::Result;
use crate::files;
use crate::seen::{changed, modified};
use crate::transfer::digest::Digest;
use crate::transfer::op::{array, number};
use rustix::fd::BorrowedFd;
use rustix::fs::Stat;
use std::collections::HashMap;

/// The file beside the tree that keeps it.
const FILE: &str = "index";
const VERSION: u64 = 1;

struct Known {
    size: u64,
    modified: i64,
    changed: i64,
    digest: Digest,
}

#[derive(Default)]
pub(super) struct Index {
    known: HashMap<u64, Known>,
    /// What was written in this pass, and is still to be read back: the digest of its data.
    unread: HashMap<u64, Digest>,
}

impl Index {
    pub(super) fn digest(&self, file: &Stat) -> Option<Digest> {
        let known = self.known.get(&file.st_ino)?;
        let there = (size(file), modified(file), changed(file));
        let is_same = there == (known.size, known.modified, known.changed);
        is_same.then_some(known.digest)
    }

    pub(super) fn set(&mut self, file: &Stat, digest: Digest) {
        self.unread.remove(&file.st_ino);
        let known = Known {
            size: size(file),
            modified: modified(file),
            changed: changed(file),
            digest,
        };
        self.known.insert(file.st_ino, known);
    }

    /// A file's data, of that digest, are to be read back before it counts as known for good.
    pub(super) fn read_later(&mut self, file: &Stat, data: Digest) {
        self.unread.insert(file.st_ino, data);
    }

    pub(super) fn unread(&self, inode: u64) -> Option<Digest> {
        self.unread.get(&inode).copied()
    }

    /// It was as it was known, and has got or lost a name.
    pub(super) fn renamed(&mut self, file: &Stat) {
        if let Some(known) = self.known.get_mut(&file.st_ino) {
            known.changed = changed(file);
        }
    }

    /// Moves one over to the index of what there really is.
    pub(super) fn keep(&mut self, inode: u64, into: &mut Self) {
        if let Some(known) = self.known.remove(&inode) {
            into.known.insert(inode, known);
        }
    }

    pub(super) fn read(place: BorrowedFd<'_>, path: &str) -> Result<Self> {
        let bytes = files::read(place, FILE, path)?.unwrap_or_default();
        // What can't be understood is as none: all is compared then.
        Ok(Self::parse(&bytes).unwrap_or_default())
    }

    fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut index = Self::default();
        if number(&mut bytes)? != VERSION {
            return None;
        }
        while !bytes.is_empty() {
            let [inode, size, modified, changed] = [(); 4].map(|()| number(&mut bytes));
            let known = Known {
                size: size?,
                modified: modified?.cast_signed(),
                changed: changed?.cast_signed(),
                digest: array(&mut bytes)?,
            };
            index.known.insert(inode?, known);
        }
        Some(index)
    }

    pub(super) fn write(&self, place: BorrowedFd<'_>, path: &str) -> Result<()> {
        let mut bytes = VERSION.to_le_bytes().to_vec();
        for (inode, known) in &self.known {
            let Known {
                size,
                modified,
                changed,
                digest,
            } = known;
            for word in [
                *inode,
                *size,
                modified.cast_unsigned(),
                changed.cast_unsigned(),
            ] {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            bytes.extend_from_slice(digest);
        }
        files::write(place, FILE, &bytes, path)
    }
}

fn size(file: &Stat) -> u64 {
    file.st_size.cast_unsigned()
}
