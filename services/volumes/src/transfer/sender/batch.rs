//! What is sent at once, and then waited for.

use crate::Result;
use crate::transfer::digest::{BLOCK, Digest};
use crate::transfer::frames::from_bits;
use crate::transfer::op::{FILES, Op};
use crate::transfer::wire::{Kind, Wire};
use std::io::{Read, Write};

/// How much of files is held until the receiver says what it wants.
const BYTES: usize = 16 * BLOCK;
/// How long the steps of a batch are, and one more.
const STEPS: usize = 512 * 1024;

#[derive(Default)]
pub(super) struct Batch {
    steps: Vec<u8>,
    /// The inodes of files that are known.
    known: Vec<u64>,
    blocks: Vec<Vec<u8>>,
    bytes: usize,
    files: usize,
}

impl Batch {
    pub(super) fn push(&mut self, op: &Op<'_>) {
        op.write(&mut self.steps);
        self.files += usize::from(matches!(op, Op::File { .. }));
    }

    pub(super) fn known(&mut self, inode: u64) {
        self.known.push(inode);
    }

    pub(super) fn block(&mut self, block: Vec<u8>, digest: Digest) {
        let length = u32::try_from(block.len()).unwrap_or(u32::MAX);
        self.push(&Op::Block { length, digest });
        self.bytes += block.len();
        self.blocks.push(block);
    }

    pub(super) fn is_full(&self) -> bool {
        self.steps.len() >= STEPS || self.bytes >= BYTES || self.files >= FILES
    }

    /// Sends what there is: `lost` is called with the inode of each file that the receiver does not
    /// have. Says how many bytes of files went.
    pub(super) fn send<S: Read + Write>(
        &mut self,
        wire: &mut Wire<'_, S>,
        mut lost: impl FnMut(u64),
    ) -> Result<u64> {
        let Self {
            steps,
            known,
            blocks,
            ..
        } = std::mem::take(self);
        if steps.is_empty() {
            return Ok(0);
        }
        wire.send(Kind::Batch, &steps)?;
        wire.flush()?;
        let mut frame = Vec::new();
        wire.expect(Kind::Wanted, &mut frame)?;
        let wanted = from_bits(&frame, known.len() + blocks.len())
            .ok_or_else(|| wire.invalid("what is wanted is not of the batch"))?;
        let (files, wanted) = wanted.split_at(known.len());
        for (inode, _) in known.iter().zip(files).filter(|(_, wanted)| **wanted) {
            lost(*inode);
        }
        let mut sent = 0;
        for (block, _) in blocks.iter().zip(wanted).filter(|(_, wanted)| **wanted) {
            wire.send(Kind::Data, block)?;
            sent += block.len() as u64;
        }
        wire.flush()?;
        Ok(sent)
    }
}
