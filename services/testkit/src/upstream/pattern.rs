//! Bodies of any size that cost nothing to make and whose every byte is checked.

use bytes::Bytes;
use std::sync::LazyLock;

/// A prime, so that the pattern never lines up with a buffer.
const PERIOD: usize = 251;
/// The longest piece.
pub const PIECE: usize = 64 * 1024;

static PATTERN: LazyLock<Bytes> = LazyLock::new(|| {
    let period = (0..=250_u8).cycle();
    period.take(PIECE + PERIOD).collect()
});

/// Up to [`PIECE`] bytes of the pattern from `offset` on, without a copy.
pub fn piece(offset: u64, length: u64) -> Bytes {
    let start = phase(offset);
    let length = usize::try_from(length).unwrap_or(PIECE).min(PIECE);
    PATTERN.slice(start..start + length)
}

fn phase(offset: u64) -> usize {
    usize::try_from(offset % PERIOD as u64).unwrap_or_default()
}

/// Counts a body and compares it with the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// How many bytes came.
    pub bytes: u64,
    /// Whether all of them were the pattern's.
    pub intact: bool,
}

impl Default for Tally {
    fn default() -> Self {
        Self::of(0)
    }
}

impl Tally {
    /// That of `bytes` intact bytes.
    pub fn of(bytes: u64) -> Self {
        let intact = true;
        Self { bytes, intact }
    }

    /// Counts the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(PIECE) {
            let start = phase(self.bytes);
            self.intact &= PATTERN[start..start + part.len()] == *part;
            self.bytes += part.len() as u64;
        }
    }
}
