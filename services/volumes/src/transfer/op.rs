//! What a batch is made of: the tree as it is walked through, one step after the other.

use super::digest::Digest;
use crate::attributes::{Attributes, is_kept};
use std::ffi::CStr;

/// How many files a batch begins at most: the receiver keeps them open.
pub(super) const FILES: usize = 256;
/// As Linux has it.
const LONGEST_NAME: usize = 255;
const LONGEST_TARGET: usize = 4095;
const LONGEST_VALUE: usize = 64 * 1024;

/// A step. What several names lead to has a number other than 0, `link`.
pub(super) enum Op<'a> {
    /// The walk begins at the root, also once more.
    Begin,
    /// Down into a folder.
    Enter { name: &'a CStr },
    /// Back up; what was not named in the folder is none of its.
    Leave { attributes: Attributes },
    /// A file that is as it was sent before.
    Known {
        name: &'a CStr,
        link: u64,
        digest: Digest,
    },
    /// A further name of what has one already.
    Link { name: &'a CStr, link: u64 },
    /// A file, whose blocks follow up to its end.
    File { name: &'a CStr, link: u64 },
    Symlink {
        name: &'a CStr,
        link: u64,
        target: &'a CStr,
        attributes: Attributes,
    },
    Fifo {
        name: &'a CStr,
        link: u64,
        attributes: Attributes,
    },
    /// An extended attribute of the current file, or else of the current folder.
    Extended { name: &'a CStr, value: &'a [u8] },
    /// The next so many blocks of the current file have nothing but zeros.
    Zeros { blocks: u64 },
    /// So has the next one not.
    Block { length: u32, digest: Digest },
    /// The current file is so long.
    End { size: u64, attributes: Attributes },
}

impl<'a> Op<'a> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Begin => out.push(b'b'),
            Self::Enter { name } => {
                out.push(b'e');
                text(out, name.to_bytes_with_nul());
            }
            Self::Leave { attributes } => {
                out.push(b'l');
                out.extend_from_slice(&attributes.to_bytes());
            }
            Self::Known { name, link, digest } => {
                leaf(out, b'k', name, *link);
                out.extend_from_slice(digest);
            }
            Self::Link { name, link } => leaf(out, b'h', name, *link),
            Self::File { name, link } => leaf(out, b'f', name, *link),
            Self::Symlink {
                name,
                link,
                target,
                attributes,
            } => {
                leaf(out, b's', name, *link);
                text(out, target.to_bytes_with_nul());
                out.extend_from_slice(&attributes.to_bytes());
            }
            Self::Fifo {
                name,
                link,
                attributes,
            } => {
                leaf(out, b'p', name, *link);
                out.extend_from_slice(&attributes.to_bytes());
            }
            Self::Extended { name, value } => {
                out.push(b'x');
                text(out, name.to_bytes_with_nul());
                text(out, value);
            }
            Self::Zeros { blocks } => {
                out.push(b'z');
                out.extend_from_slice(&blocks.to_le_bytes());
            }
            Self::Block { length, digest } => {
                out.push(b'd');
                out.extend_from_slice(&length.to_le_bytes());
                out.extend_from_slice(digest);
            }
            Self::End { size, attributes } => {
                out.push(b'.');
                out.extend_from_slice(&size.to_le_bytes());
                out.extend_from_slice(&attributes.to_bytes());
            }
        }
    }

    /// Takes one from the front; `None` if that is none.
    pub(super) fn take(bytes: &mut &'a [u8]) -> Option<Self> {
        let [kind] = array(bytes)?;
        Some(match kind {
            b'b' => Self::Begin,
            b'e' => Self::Enter { name: name(bytes)? },
            b'l' => Self::Leave {
                attributes: attributes(bytes)?,
            },
            b'k' => Self::Known {
                name: name(bytes)?,
                link: number(bytes)?,
                digest: array(bytes)?,
            },
            b'h' => Self::Link {
                name: name(bytes)?,
                link: number(bytes)?,
            },
            b'f' => Self::File {
                name: name(bytes)?,
                link: number(bytes)?,
            },
            b's' => Self::Symlink {
                name: name(bytes)?,
                link: number(bytes)?,
                target: string(bytes, LONGEST_TARGET)?,
                attributes: attributes(bytes)?,
            },
            b'p' => Self::Fifo {
                name: name(bytes)?,
                link: number(bytes)?,
                attributes: attributes(bytes)?,
            },
            b'x' => Self::Extended {
                name: string(bytes, LONGEST_NAME).filter(|name| is_kept(name.to_bytes()))?,
                value: taken(bytes, LONGEST_VALUE)?,
            },
            b'z' => Self::Zeros {
                blocks: number(bytes)?,
            },
            b'd' => Self::Block {
                length: u32::from_le_bytes(array(bytes)?),
                digest: array(bytes)?,
            },
            b'.' => Self::End {
                size: number(bytes)?,
                attributes: attributes(bytes)?,
            },
            _ => return None,
        })
    }
}

fn leaf(out: &mut Vec<u8>, kind: u8, name: &CStr, link: u64) {
    out.push(kind);
    text(out, name.to_bytes_with_nul());
    out.extend_from_slice(&link.to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text);
}

pub(super) fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*array)
}

pub(super) fn number(bytes: &mut &[u8]) -> Option<u64> {
    array(bytes).map(u64::from_le_bytes)
}

fn attributes(bytes: &mut &[u8]) -> Option<Attributes> {
    array(bytes).and_then(Attributes::from_bytes)
}

fn taken<'a>(bytes: &mut &'a [u8], most: usize) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::from_le_bytes(array(bytes)?)).ok()?;
    if length > most {
        return None;
    }
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// With its NUL on the wire, as the system's calls take it.
fn string<'a>(bytes: &mut &'a [u8], most: usize) -> Option<&'a CStr> {
    let string = CStr::from_bytes_with_nul(taken(bytes, most + 1)?).ok()?;
    (!string.is_empty()).then_some(string)
}

/// The name of something in a folder, and no way out of it.
fn name<'a>(bytes: &mut &'a [u8]) -> Option<&'a CStr> {
    let name = string(bytes, LONGEST_NAME)?;
    let is_plain = !matches!(name.to_bytes(), b"." | b"..") && !name.to_bytes().contains(&b'/');
    is_plain.then_some(name)
}
