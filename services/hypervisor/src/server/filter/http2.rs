//! Counts the frames of an HTTP/2 connection that cost us something and get the client nothing.
//!
//! h2 has limits of its own for streams that are opened and reset and for CONTINUATION, and none
//! for the rest: a client may send `WINDOW_UPDATE`, PING, or frames of unknown types without end.
//! Ordinary use has such frames in proportion to what it carries; so each costs one, and what is
//! carried, and time, give some back.

use std::time::Instant;

/// How many there may be at once.
const BURST: u32 = 4096;

/// How many more there may be for each second.
const PER_SECOND: f64 = 1000.0;

/// How many more there may be for each request.
const PER_REQUEST: u32 = 4;

/// Bytes to the client for which there may be one more. A client with small windows sends two
/// `WINDOW_UPDATE` for every 4 KiB.
const BYTES: usize = 1024;

const FRAME_HEADER: usize = 9;
const PREFACE: usize = super::PREFACE.len();

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const END_STREAM: u8 = 0x1;

/// A `WINDOW_UPDATE` of nothing for the whole connection, which RFC 9113, section 6.9, makes an
/// error of the connection: the reader sends GOAWAY and closes.
pub(super) const FATAL: &[u8] = b"\0\0\x04\x08\0\0\0\0\0\0\0\0\0";

/// Where in the frames we are, and how many more there may be.
#[derive(Debug)]
pub(super) struct Frames {
    preface: usize,
    header: [u8; FRAME_HEADER],
    /// How much of the header has come.
    have: usize,
    /// How much of the payload has not.
    payload: usize,
    tokens: u32,
    /// When time last gave some.
    since: Instant,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            preface: PREFACE,
            header: [0; FRAME_HEADER],
            have: 0,
            payload: 0,
            tokens: BURST,
            since: Instant::now(),
        }
    }
}

impl Frames {
    /// Follows what the client sends; says, once that is too much, how many of `bytes` are up to
    /// the end of a frame.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = self.preface.min(bytes.len());
        self.preface -= at;
        while at < bytes.len() {
            let skipped = self.payload.min(bytes.len() - at);
            self.payload -= skipped;
            at += skipped;
            if self.payload > 0 || at == bytes.len() {
                break;
            }
            if self.have == 0 && self.tokens == 0 && !self.refill() {
                return Some(at);
            }
            let taken = (FRAME_HEADER - self.have).min(bytes.len() - at);
            self.header[self.have..self.have + taken].copy_from_slice(&bytes[at..at + taken]);
            self.have += taken;
            at += taken;
            if self.have == FRAME_HEADER {
                self.have = 0;
                self.frame();
            }
        }
        None
    }

    /// So many bytes went to the client.
    pub(super) fn wrote(&mut self, count: usize) {
        self.give(1 + u32::try_from(count / BYTES).unwrap_or(BURST));
    }

    fn frame(&mut self) {
        let [a, b, c, kind, flags, ..] = self.header;
        self.payload = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        match kind {
            HEADERS => self.give(PER_REQUEST),
            DATA if self.payload > 0 => self.give(1),
            DATA if flags & END_STREAM != 0 => {}
            _ => self.tokens = self.tokens.saturating_sub(1),
        }
    }

    fn give(&mut self, count: u32) {
        self.tokens = self.tokens.saturating_add(count).min(BURST);
    }

    /// Gives what the time is worth; says whether that is anything.
    fn refill(&mut self) -> bool {
        let earned = self.since.elapsed().as_secs_f64() * PER_SECOND;
        if earned < 1.0 {
            return false;
        }
        self.since = Instant::now();
        // A float becomes the nearest integer that there is.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is positive, and cut to the burst"
        )]
        self.give(earned.min(f64::from(BURST)) as u32);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.extend_from_slice(payload);
        frame
    }

    /// Whether so many repetitions of these bytes are too much, in pieces of `step`.
    fn floods(bytes: &[u8], count: usize, step: usize) -> bool {
        let mut frames = Frames::default();
        let mut all = super::super::PREFACE.to_vec();
        all.extend_from_slice(&bytes.repeat(count));
        let mut before = 0;
        all.chunks(step).any(|piece| {
            let over = frames.follow(piece);
            if let Some(at) = over {
                let passed = before + at - PREFACE;
                assert_eq!(passed % bytes.len(), 0, "cut within a frame");
            }
            before += piece.len();
            over.is_some()
        })
    }

    #[test]
    fn what_gets_the_client_nothing_may_come_in_bursts_and_not_for_ever() {
        let many = 8 * BURST as usize;
        for cheap in [
            frame(0x8, 0, &[0, 0, 0, 1]),
            frame(0x6, 0, &[0; 8]),
            frame(0x4, 0, &[]),
            frame(0x2, 0, &[0; 5]),
            frame(0x3, 0, &[0; 4]),
            frame(0xfe, 0, &[0; 60]),
            frame(DATA, 0, &[]),
        ] {
            for step in [1, 7, 8192] {
                assert!(floods(&cheap, many, step), "{cheap:?} in {step}");
            }
            assert!(!floods(&cheap, BURST as usize / 2, 8192), "{cheap:?}");
        }
    }

    #[test]
    fn what_carries_something_may_come_for_ever() {
        let many = 8 * BURST as usize;
        let upload = frame(DATA, 0, &[0; 100]);
        let request = frame(HEADERS, 4, &[0; 30]);
        let mut unary = request.clone();
        unary.extend_from_slice(&frame(0x8, 0, &[0, 0, 0, 1]).repeat(2));
        unary.extend_from_slice(&frame(0x6, 0, &[0; 8]));
        unary.extend_from_slice(&frame(DATA, END_STREAM, &[]));
        for ordinary in [upload, request, unary] {
            assert!(!floods(&ordinary, many, 8192), "{ordinary:?}");
        }
    }

    #[test]
    fn a_download_may_have_its_windows_updated() {
        let mut frames = Frames::default();
        frames.follow(super::super::PREFACE);
        let updates = frame(0x8, 0, &[0, 0, 0x10, 0]).repeat(2);
        for _ in 0..8 * BURST {
            frames.wrote(4096);
            assert_eq!(frames.follow(&updates), None);
        }
    }
}
