//! A file's data in blocks: read without its holes, and written so that zeros become some.

use super::digest::{BLOCK, BLOCK_BYTES, Content, of_block};
use rustix::fd::BorrowedFd;
use rustix::fs::{FallocateFlags, SeekFrom, fallocate, seek};
use rustix::io::{Errno, pread, pwrite};

/// What the file system has as one, mostly.
const PAGE: usize = 4096;
static ZEROS: [u8; PAGE] = [0; PAGE];

/// What comes next in a file.
pub(super) enum Piece {
    /// So many blocks of zeros.
    Zeros(u64),
    Block(Vec<u8>),
}

/// Reads a file up to a size, or to where it ends by now.
pub(super) struct Blocks<'f> {
    file: BorrowedFd<'f>,
    at: u64,
    pub size: u64,
    /// How much was read.
    pub read: u64,
}

impl<'f> Blocks<'f> {
    pub(super) fn new(file: BorrowedFd<'f>, size: u64) -> Self {
        Self {
            file,
            at: 0,
            size,
            read: 0,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Piece>, Errno> {
        if self.at >= self.size {
            return Ok(None);
        }
        let hole = match seek(self.file, SeekFrom::Data(self.at)) {
            Ok(data) => (data.min(self.size) - self.at) / BLOCK_BYTES,
            Err(Errno::NXIO) => (self.size - self.at).div_ceil(BLOCK_BYTES),
            Err(Errno::INVAL) => 0,
            Err(error) => return Err(error),
        };
        if hole > 0 {
            self.at = self.at.saturating_add(hole.saturating_mul(BLOCK_BYTES));
            return Ok(Some(Piece::Zeros(hole)));
        }
        let length = usize::try_from(self.size - self.at).map_or(BLOCK, |rest| rest.min(BLOCK));
        let block = read_block(self.file, self.at, length)?;
        self.read += block.len() as u64;
        self.at += block.len() as u64;
        if block.len() < length {
            self.size = self.at;
        }
        Ok(match block {
            block if block.is_empty() => None,
            block if is_zero(&block) => Some(Piece::Zeros(1)),
            block => Some(Piece::Block(block)),
        })
    }
}

/// Of a file that is on the disk.
pub(super) fn content(
    file: BorrowedFd<'_>,
    size: u64,
    mut each: impl FnMut() -> crate::Result<()>,
) -> crate::Result<Result<[u8; 32], Errno>> {
    let mut blocks = Blocks::new(file, size);
    let mut content = Content::default();
    loop {
        match blocks.next() {
            Ok(Some(Piece::Zeros(count))) => content.zeros(count),
            Ok(Some(Piece::Block(block))) => content.block(&of_block(&block)),
            Ok(None) => return Ok(Ok(content.end(blocks.size))),
            Err(error) => return Ok(Err(error)),
        }
        each()?;
    }
}

/// So many bytes, or fewer where the file ends.
pub(super) fn read_block(file: BorrowedFd<'_>, at: u64, length: usize) -> Result<Vec<u8>, Errno> {
    let mut block = vec![0; length];
    let mut filled = 0;
    while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match pread(file, rest, at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    block.truncate(filled);
    Ok(block)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(PAGE).all(|page| *page == ZEROS[..page.len()])
}

/// Writes a block; pages of zeros in it become holes.
pub(super) fn write_block(file: BorrowedFd<'_>, at: u64, block: &[u8]) -> Result<(), Errno> {
    let has_zeros = block.chunks(PAGE).any(is_zero);
    if !has_zeros || !punch(file, at, block.len() as u64)? {
        return write_all(file, at, block);
    }
    let (mut from, mut to) = (0, 0);
    for page in block.chunks(PAGE) {
        if is_zero(page) {
            write_all(file, at + from as u64, &block[from..to])?;
            from = to + page.len();
        }
        to += page.len();
    }
    write_all(file, at + from as u64, &block[from..to])
}

fn write_all(file: BorrowedFd<'_>, at: u64, bytes: &[u8]) -> Result<(), Errno> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match pwrite(file, rest, at + written as u64) {
            Err(Errno::INTR) => {}
            other => written += other?,
        }
    }
    Ok(())
}

/// Makes what lies between two offsets zeros, up to the file's end at most.
pub(super) fn clear(file: BorrowedFd<'_>, from: u64, to: u64) -> Result<(), Errno> {
    let mut at = from;
    while at < to {
        at = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data.max(at),
            Err(Errno::NXIO) => return Ok(()),
            Err(Errno::INVAL) => at,
            Err(error) => return Err(error),
        };
        if at >= to || punch(file, at, to - at)? {
            return Ok(());
        }
        let length = (to - at).min(BLOCK_BYTES);
        let there = read_block(file, at, usize::try_from(length).unwrap_or(BLOCK))?;
        if there.is_empty() {
            return Ok(());
        }
        write_all(file, at, &vec![0; there.len()])?;
        at += there.len() as u64;
    }
    Ok(())
}

/// False if the file system has no holes.
fn punch(file: BorrowedFd<'_>, at: u64, length: u64) -> Result<bool, Errno> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match fallocate(file, flags, at, length) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
        Err(error) => Err(error),
    }
}
