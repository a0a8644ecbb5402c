//! Ids of requests, of traces and of our part in them.

use std::cell::RefCell;
use std::fmt;

/// 16 bytes in hexadecimal digits, as W3C Trace Context writes the id of a trace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Id([u8; 32]);

impl Id {
    /// What is such an id already, in digits.
    pub(crate) fn from_hex(digits: [u8; 32]) -> Self {
        Self(digits)
    }

    /// Its digits.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        // Only digits ever get in.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The ids of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) request: Id,
    /// Of our part in its trace, in digits.
    pub(crate) span: [u8; 16],
}

/// Random bytes for one request.
const BYTES: usize = 24;

thread_local! {
    /// Random bytes for the next requests, since each call to the kernel costs as much as many.
    static RANDOM: RefCell<([u8; 64 * BYTES], usize)> = const { RefCell::new(([0; 64 * BYTES], 0)) };
}

impl Ids {
    /// New ones. Without randomness there are none: better that than some shared by strangers.
    pub(crate) fn random() -> Option<Self> {
        let random = random()?;
        let (mut request, mut span) = ([0; 32], [0; 16]);
        put_hex(&mut request, &random[..16]);
        put_hex(&mut span, &random[16..]);
        Some(Self {
            request: Id(request),
            span,
        })
    }
}

fn random() -> Option<[u8; BYTES]> {
    RANDOM.with_borrow_mut(|(bytes, left)| {
        if *left == 0 {
            getrandom::fill(bytes).ok()?;
            *left = bytes.len();
        }
        let ids = bytes[..*left].last_chunk().copied();
        *left -= BYTES;
        ids
    })
}

fn put_hex(text: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_requests_have_the_same() {
        let ids: HashSet<_> = (0..1000)
            .map(|_| Ids::random().unwrap().request.to_string())
            .collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let is_digit = |char: char| matches!(char, '0'..='9' | 'a'..='f');
            assert!(id.len() == 32 && id.chars().all(is_digit), "{id}");
        }
    }
}
