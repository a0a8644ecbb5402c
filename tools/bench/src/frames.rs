//! As much of RFC 6455 as an echo and its client need: whole messages below 126 bytes.

use anyhow::{Result, ensure};

/// A client has to have a mask, and for ours any will do.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x8e];
const FINAL_BINARY: u8 = 0x82;
const CLOSE: u8 = 0x8;
const MASKED: u8 = 0x80;
/// The first length that has bytes of its own.
const LONG: u8 = 0x7e;

/// A frame at the start of a buffer.
#[derive(Debug, PartialEq)]
pub struct Frame {
    /// How many bytes it takes, header and all.
    pub size: usize,
    /// Its message, unmasked; none if it asks for the end.
    pub message: Option<Vec<u8>>,
}

/// Reads a frame; none if it is not whole yet.
///
/// # Errors
/// It is of a kind that nobody here sends.
pub fn parse(bytes: &[u8]) -> Result<Option<Frame>> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    let length = second & !MASKED;
    ensure!(length < LONG, "a frame of 126 bytes or more");
    let (mask, rest) = match (second & MASKED, rest.split_first_chunk()) {
        (0, _) => ([0; 4], rest),
        (_, Some((mask, rest))) => (*mask, rest),
        (_, None) => return Ok(None),
    };
    let Some(payload) = rest.get(..length.into()) else {
        return Ok(None);
    };
    let size = bytes.len() - rest.len() + payload.len();
    let message = if first & 0xf == CLOSE {
        None
    } else {
        ensure!(
            *first == FINAL_BINARY,
            "a frame that begins with {first:#x}"
        );
        Some(masked(payload, mask).collect())
    };
    Ok(Some(Frame { size, message }))
}

/// Appends a message as a server sends it.
///
/// # Errors
/// It has 126 bytes or more.
pub fn push(out: &mut Vec<u8>, message: &[u8]) -> Result<()> {
    out.extend([FINAL_BINARY, length(message)?]);
    out.extend_from_slice(message);
    Ok(())
}

/// Appends a message as a client sends it.
///
/// # Errors
/// It has 126 bytes or more.
pub fn push_masked(out: &mut Vec<u8>, message: &[u8]) -> Result<()> {
    out.extend([FINAL_BINARY, MASKED | length(message)?]);
    out.extend(MASK);
    out.extend(masked(message, MASK));
    Ok(())
}

fn length(message: &[u8]) -> Result<u8> {
    let length = u8::try_from(message.len()).unwrap_or(u8::MAX);
    ensure!(length < LONG, "a message of 126 bytes or more");
    Ok(length)
}

fn masked(message: &[u8], mask: [u8; 4]) -> impl Iterator<Item = u8> {
    let mask = mask.into_iter().cycle();
    message.iter().zip(mask).map(|(byte, key)| byte ^ key)
}

#[cfg(test)]
mod tests {
    use super::{Frame, parse, push, push_masked};

    #[test]
    fn a_message_comes_back_once_it_is_whole() {
        for length in [0, 1, 64, 125] {
            let message: Vec<u8> = (0..length).collect();
            for write in [push, push_masked] {
                let mut bytes = Vec::new();
                write(&mut bytes, &message).unwrap();
                let size = bytes.len();
                for cut in 0..size {
                    assert_eq!(parse(&bytes[..cut]).unwrap(), None);
                }
                bytes.extend_from_slice(b"next");
                let message = Some(message.clone());
                assert_eq!(parse(&bytes).unwrap(), Some(Frame { size, message }));
            }
        }
    }

    #[test]
    fn a_client_hides_what_it_sends() {
        let mut bytes = Vec::new();
        push_masked(&mut bytes, b"message").unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"message"));
    }

    #[test]
    fn a_close_is_no_message() {
        let close = Frame {
            size: 8,
            message: None,
        };
        assert_eq!(parse(&[0x88, 0x82, 1, 2, 3, 4, 5, 6]).unwrap(), Some(close));
    }

    #[test]
    fn other_frames_are_refused() {
        assert!(parse(&[0x82, 126, 0, 0, 0]).is_err());
        assert!(parse(&[0x89, 0]).is_err());
        assert!(push(&mut Vec::new(), &[0; 126]).is_err());
    }
}
