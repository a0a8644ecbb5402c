//! Lines that come in pieces.

use super::grammar::Malformed;
use memchr::memchr;
use std::borrow::Cow;

/// Puts lines together.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The start of a line whose end has not come yet.
    partial: Vec<u8>,
}

impl Lines {
    /// The start of a line whose end has not come yet.
    pub(super) fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// The line that ends first in `bytes`, without its LF, if one does; and how many of them were
    /// read. `None` if it has more than `most` bytes before that.
    pub(super) fn next<'a>(
        &mut self,
        bytes: &'a [u8],
        most: usize,
    ) -> Option<(Option<Cow<'a, [u8]>>, usize)> {
        let end = memchr(b'\n', bytes);
        let here = &bytes[..end.unwrap_or(bytes.len())];
        if self.partial.len() + here.len() > most {
            return None;
        }
        if self.partial.is_empty() && end.is_some() {
            return Some((Some(Cow::Borrowed(here)), here.len() + 1));
        }
        self.partial.extend_from_slice(here);
        let line = end.map(|_| Cow::Owned(std::mem::take(&mut self.partial)));
        Some((line, here.len() + usize::from(end.is_some())))
    }
}

/// The line without the CR that each ends in.
pub(super) fn without_cr(line: &[u8]) -> Result<&[u8], Malformed> {
    line.strip_suffix(b"\r")
        .ok_or(Malformed("a line ends in a bare LF"))
}
