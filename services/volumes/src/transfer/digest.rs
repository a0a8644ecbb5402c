//! What tells one file, and one tree, from another: SHA-256 of all that is kept of them.

use crate::attributes::Attributes;
use sha2::{Digest as _, Sha256};

/// How much of a file is compared, and sent, as one.
pub(super) const BLOCK: usize = 1 << 20;
pub(super) const BLOCK_BYTES: u64 = BLOCK as u64;

pub(super) type Digest = [u8; 32];

pub(super) fn of_block(block: &[u8]) -> Digest {
    Sha256::digest(block).into()
}

/// Of a file's data. A block of zeros is one whether it is a hole or not.
#[derive(Default)]
pub(super) struct Content {
    blocks: Sha256,
    zeros: u64,
}

impl Content {
    pub(super) fn zeros(&mut self, blocks: u64) {
        self.zeros = self.zeros.saturating_add(blocks);
    }

    pub(super) fn block(&mut self, digest: &Digest) {
        self.end_zeros();
        self.blocks.update([1]);
        self.blocks.update(digest);
    }

    fn end_zeros(&mut self) {
        if self.zeros > 0 {
            self.blocks.update([0]);
            self.blocks.update(self.zeros.to_le_bytes());
            self.zeros = 0;
        }
    }

    pub(super) fn end(mut self, size: u64) -> Digest {
        self.end_zeros();
        self.blocks.update(size.to_le_bytes());
        self.blocks.finalize().into()
    }
}

/// What is kept.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Folder,
    File,
    Symlink,
    Fifo,
}

/// Of all that is kept of one inode.
pub(super) struct Entry(Sha256);

impl Entry {
    pub(super) fn new(kind: Kind) -> Self {
        Self(Sha256::new_with_prefix([kind as u8]))
    }

    pub(super) fn extended(&mut self, name: &[u8], value: &[u8]) {
        for part in [name, value] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    /// `data` is a file's digest, or where a link leads to.
    pub(super) fn end(mut self, attributes: &Attributes, data: &[u8]) -> Digest {
        // As long as no name of an extended attribute is.
        self.0.update(u64::MAX.to_le_bytes());
        self.0.update(attributes.to_bytes());
        self.0.update(data);
        self.0.finalize().into()
    }
}

/// Of all names in a tree with what they are, in whichever order they come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tree {
    pub sum: [u64; 4],
    /// How many names were counted.
    pub names: u64,
    /// How many of them are further names of a file that has one already.
    pub links: u64,
}

impl Tree {
    /// The path of the tree's root.
    pub(super) const ROOT: Digest = [0; 32];

    /// A path is told by a digest of its own, however long it is.
    pub(super) fn path(folder: &Digest, name: &[u8]) -> Digest {
        let mut hasher = Sha256::new_with_prefix(folder);
        hasher.update(name);
        hasher.finalize().into()
    }

    pub(super) fn add(&mut self, path: &Digest, entry: &Digest) {
        let mut hasher = Sha256::new_with_prefix(path);
        hasher.update(entry);
        let digest: Digest = hasher.finalize().into();
        let (words, _) = digest.as_chunks::<8>();
        for (sum, word) in self.sum.iter_mut().zip(words) {
            *sum = sum.wrapping_add(u64::from_le_bytes(*word));
        }
        self.names += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Tree};

    #[test]
    fn holes_in_pieces_are_one_hole() {
        let digest = |pieces: &[u64]| {
            let mut content = Content::default();
            for blocks in pieces {
                content.zeros(*blocks);
            }
            content.block(&[7; 32]);
            content.end(9 << 20)
        };
        assert_eq!(digest(&[3, 5]), digest(&[8]));
        assert_ne!(digest(&[3]), digest(&[8]));
    }

    #[test]
    fn trees_are_the_same_in_every_order_and_differ_by_every_name() {
        let tree = |names: &[(&[u8], u8)]| {
            let mut tree = Tree::default();
            for (name, entry) in names {
                tree.add(&Tree::path(&Tree::ROOT, name), &[*entry; 32]);
            }
            tree
        };
        assert_eq!(tree(&[(b"a", 1), (b"b", 2)]), tree(&[(b"b", 2), (b"a", 1)]));
        assert_ne!(tree(&[(b"a", 1), (b"b", 2)]), tree(&[(b"a", 2), (b"b", 1)]));
    }
}
