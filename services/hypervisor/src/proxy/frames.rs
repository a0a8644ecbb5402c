//! Finds where WebSocket frames end (RFC 6455, section 5.2), by their headers alone.
//!
//! A control frame may stand between any two frames, also between the fragments of one message,
//! but not inside a frame. So whoever wants to put one into somebody else's stream has to
//! know the ends, and nothing more.

const CLOSE: u8 = 8;

/// RFC 6455 and its registry: «service restart», upon which clients come back.
pub(super) const SERVICE_RESTART: u16 = 1012;

/// «Policy violation»: whoever comes back is asked who they are.
pub(super) const POLICY_VIOLATION: u16 = 1008;

/// Follows one direction of a WebSocket.
#[derive(Debug, Clone, Default)]
pub(super) struct Frames {
    /// The header that is being read: two bytes, and up to eight of an extended length.
    header: [u8; 10],
    have: usize,
    /// Bytes to the frame's end, once its header is whole.
    left: Option<u64>,
    closed: bool,
}

impl Frames {
    /// Whether the stream stands between two frames.
    pub(super) fn between(&self) -> bool {
        self.have == 0
    }

    /// Whether a whole Close frame went by.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }

    /// Goes on to the first end of a frame and says how many bytes that took; `None` if the
    /// bytes ended before it.
    pub(super) fn next_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        let left = loop {
            if let Some(left) = self.left {
                break left;
            }
            self.header[self.have] = *bytes.get(at)?;
            self.have += 1;
            at += 1;
            self.left = length(&self.header[..self.have]);
        };
        let here = bytes.len() - at;
        match usize::try_from(left) {
            Ok(left) if left <= here => {
                let closed = self.closed || self.header[0] & 0xf == CLOSE;
                *self = Self {
                    closed,
                    ..Self::default()
                };
                Some(at + left)
            }
            _ => {
                self.left = Some(left - here as u64);
                None
            }
        }
    }

    /// Goes on over all the bytes.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while let Some(end) = self.next_end(bytes) {
            bytes = &bytes[end..];
        }
    }
}

/// What follows a header (mask and payload); `None` while the header is not whole.
fn length(header: &[u8]) -> Option<u64> {
    let [_, second, extended @ ..] = header else {
        return None;
    };
    let mask = u64::from(second >> 7) * 4;
    let payload = match second & 0x7f {
        126 => u64::from(u16::from_be_bytes(extended.try_into().ok()?)),
        127 => u64::from_be_bytes(extended.try_into().ok()?),
        short => u64::from(short),
    };
    Some(payload.saturating_add(mask))
}

/// An unmasked Close frame, as servers send it. The reason must be shorter than 124 bytes.
pub(super) fn close(code: u16, reason: &'static str) -> Vec<u8> {
    let length = reason.len().min(123);
    let mut frame = vec![0x80 | CLOSE, u8::try_from(2 + length).unwrap_or(2)];
    frame.extend(code.to_be_bytes());
    frame.extend(&reason.as_bytes()[..length]);
    frame
}

/// The same as clients send it: masked, with a key of zeros, which leaves the bytes as they are. A
/// key nobody can guess is for what a page makes a browser send.
pub(super) fn masked_close(code: u16, reason: &'static str) -> Vec<u8> {
    let mut frame = close(code, reason);
    frame[1] |= 0x80;
    frame.splice(2..2, [0; 4]);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, masked: bool, payload: usize) -> Vec<u8> {
        let mask = u8::from(masked) << 7;
        let mut frame = vec![first];
        match payload {
            0..126 => frame.push(mask | u8::try_from(payload).unwrap()),
            126..65536 => {
                frame.push(mask + 126);
                frame.extend(u16::try_from(payload).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(mask + 127);
                frame.extend((payload as u64).to_be_bytes());
            }
        }
        // Payload that looks like frames, to lead astray whoever reads it as such.
        frame.resize(frame.len() + payload + 4 * usize::from(masked), 0x88);
        frame
    }

    /// Fragments, control frames between them, masks, and lengths of all three kinds.
    fn stream() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for (first, masked, payload) in [
            (0x01, false, 5),
            (0x89, false, 0),
            (0x00, false, 125),
            (0x80, true, 126),
            (0x82, false, 65535),
            (0x8a, true, 0),
            (0x82, false, 70000),
            (0x81, false, 0),
        ] {
            bytes.extend(frame(first, masked, payload));
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn every_end_is_found_however_the_bytes_are_cut() {
        let (bytes, ends) = stream();
        for cut in [1, 2, 3, 7, 125, 4096, 65535, bytes.len()] {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for (index, chunk) in bytes.chunks(cut).enumerate() {
                let mut at = 0;
                while let Some(taken) = frames.next_end(&chunk[at..]) {
                    assert!(frames.between());
                    at += taken;
                    found.push(index * cut + at);
                    if at == chunk.len() {
                        break;
                    }
                }
            }
            assert_eq!(found, ends, "in chunks of {cut}");
            assert!(frames.between() && !frames.closed());
        }
    }

    #[test]
    fn a_close_frame_is_noticed_once_it_is_whole() {
        let close = close(1012, "replaced");
        assert_eq!(close[..4], [0x88, 10, 0x03, 0xf4]);
        let mut frames = Frames::default();
        frames.pass(&close[..5]);
        assert!(!frames.closed() && !frames.between());
        frames.pass(&close[5..]);
        assert!(frames.closed() && frames.between());
    }

    #[test]
    fn a_masked_close_frame_says_the_same() {
        let close = masked_close(1008, "over");
        assert_eq!(close[..8], [0x88, 0x86, 0, 0, 0, 0, 0x03, 0xf0]);
        let mut frames = Frames::default();
        assert_eq!(frames.next_end(&close), Some(close.len()));
        assert!(frames.closed());
    }

    #[test]
    fn an_endless_frame_has_no_end() {
        let mut frames = Frames::default();
        frames.pass(&[0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255]);
        frames.pass(&[0; 4096]);
        assert!(!frames.between());
    }
}
