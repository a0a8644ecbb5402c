//! The first frame and the last one.

use super::digest::Tree;
use super::op::{array, number};

/// What is to come.
pub(super) struct Hello {
    /// A sandbox that never ran has no volume.
    pub exists: bool,
    /// How much that may be, if it is known.
    pub bytes: u64,
    pub files: u64,
}

impl Hello {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let [bytes, files] = [self.bytes, self.files].map(u64::to_le_bytes);
        [&[u8::from(self.exists)], &bytes[..], &files].concat()
    }

    pub(super) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let hello = Self {
            exists: flag(&mut bytes)?,
            bytes: number(&mut bytes)?,
            files: number(&mut bytes)?,
        };
        bytes.is_empty().then_some(hello)
    }
}

/// What came.
pub(super) struct Close {
    /// It is the last pass: what came is to be an archive.
    pub last: bool,
    /// The walk went through the whole tree, which is this one.
    pub whole: bool,
    pub tree: Tree,
}

impl Close {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.last), u8::from(self.whole)];
        let Tree { sum, names, links } = self.tree;
        for word in sum.into_iter().chain([names, links]) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    pub(super) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let (last, whole) = (flag(&mut bytes)?, flag(&mut bytes)?);
        let mut sum = [0; 4];
        for word in &mut sum {
            *word = number(&mut bytes)?;
        }
        let (names, links) = (number(&mut bytes)?, number(&mut bytes)?);
        let tree = Tree { sum, names, links };
        // A part of a tree is no archive.
        let is_sane = bytes.is_empty() && (whole || !last);
        is_sane.then_some(Self { last, whole, tree })
    }
}

fn flag(bytes: &mut &[u8]) -> Option<bool> {
    match array(bytes)? {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

/// Yes or no to each of so many questions.
pub(super) fn to_bits(answers: &[bool]) -> Vec<u8> {
    let mut bits = vec![0; answers.len().div_ceil(8)];
    for (at, _) in answers.iter().enumerate().filter(|(_, yes)| **yes) {
        bits[at / 8] |= 1 << (at % 8);
    }
    bits
}

pub(super) fn from_bits(bits: &[u8], count: usize) -> Option<Vec<bool>> {
    let answer = |at: usize| {
        bits.get(at / 8)
            .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    };
    (bits.len() == count.div_ceil(8)).then(|| (0..count).map(answer).collect())
}
