//! Finds where a chunked body ends, and leaves it as it is.

use crate::server::{Malformed, chunk_size, trailer};
use memchr::memchr;

/// Bytes of a chunk's first line, or of a trailer.
const LONGEST_LINE: usize = 4096;
/// Bytes of all trailers.
const LONGEST_TRAILERS: usize = 16 * 1024;

/// Follows the bytes of a chunked body.
#[derive(Default)]
pub(super) struct Chunks {
    state: State,
    /// The start of a line whose end has not come yet.
    partial: Vec<u8>,
    trailers: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Data(u64),
    /// The CRLF after a chunk's data.
    End,
    Trailers,
    Over,
}

impl Chunks {
    /// Whether the whole body went by.
    pub(super) fn over(&self) -> bool {
        self.state == State::Over
    }

    /// Whether another chunk may begin here, or the last one.
    pub(super) fn between(&self) -> bool {
        self.state == State::Size && self.partial.is_empty()
    }

    /// Follows `bytes` as far as the body goes, or to the next place [`Chunks::between`] two
    /// chunks if that is what is wanted; says how many that were.
    pub(super) fn pass(&mut self, bytes: &[u8], to_between: bool) -> Result<usize, Malformed> {
        let mut at = 0;
        while at < bytes.len() && !self.over() && !(to_between && self.between()) {
            if let State::Data(left) = self.state {
                let here = bytes.len() - at;
                let taken = usize::try_from(left).map_or(here, |left| left.min(here));
                at += taken;
                self.state = match left - taken as u64 {
                    0 => State::End,
                    left => State::Data(left),
                };
            } else {
                at = self.pass_line(bytes, at)?;
            }
        }
        Ok(at)
    }

    fn pass_line(&mut self, bytes: &[u8], at: usize) -> Result<usize, Malformed> {
        let rest = &bytes[at..];
        let end = memchr(b'\n', rest);
        let here = &rest[..end.unwrap_or(rest.len())];
        if self.partial.len() + here.len() > LONGEST_LINE {
            return Err(Malformed("a line of a chunked body is too long"));
        }
        if end.is_none() {
            self.partial.extend_from_slice(here);
            return Ok(bytes.len());
        }
        if self.partial.is_empty() {
            self.line(here)?;
        } else {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(here);
            self.line(&whole)?;
        }
        Ok(at + here.len() + 1)
    }

    /// Takes one whole line, without its LF.
    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let line = line
            .strip_suffix(b"\r")
            .ok_or(Malformed("a line of a chunked body ends in a bare LF"))?;
        self.state = match self.state {
            State::Size => match chunk_size(line)? {
                0 => State::Trailers,
                size => State::Data(size),
            },
            State::End if line.is_empty() => State::Size,
            State::End => return Err(Malformed("a chunk is longer than its size")),
            State::Trailers if line.is_empty() => State::Over,
            State::Trailers => {
                self.trailers += line.len();
                if self.trailers > LONGEST_TRAILERS {
                    return Err(Malformed("there are too many trailers"));
                }
                trailer(line)?;
                State::Trailers
            }
            state @ (State::Data(_) | State::Over) => state,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n";

    #[test]
    fn a_body_ends_where_its_trailers_do_however_it_comes() {
        let mut stream = BODY.to_vec();
        stream.extend_from_slice(b"HTTP/1.1 200 OK");
        assert_eq!(Chunks::default().pass(&stream, false), Ok(BODY.len()));
        let mut chunks = Chunks::default();
        for (at, byte) in BODY.iter().enumerate() {
            assert!(!chunks.over(), "over before byte {at}");
            assert_eq!(chunks.pass(&[*byte], false), Ok(1));
        }
        assert!(chunks.over());
    }

    #[test]
    fn the_next_place_between_two_chunks_is_found() {
        let mut chunks = Chunks::default();
        assert_eq!(chunks.pass(&BODY[..5], false), Ok(5));
        assert!(!chunks.between());
        assert_eq!(chunks.pass(&BODY[5..], true), Ok(5));
        assert!(chunks.between() && !chunks.over());
    }

    #[test]
    fn what_is_not_framed_as_rfc_9112_says_is_an_error() {
        for wrong in [
            "\r\n",
            "x\r\n",
            "5\n",
            "5\r\nhellox\r\n",
            "5 \r\n",
            "-1\r\n",
            "ffffffffffffffffff\r\n",
            "0\r\nContent-Length: 5\r\n",
            "0\r\nnonsense\r\n",
        ] {
            assert!(
                Chunks::default().pass(wrong.as_bytes(), false).is_err(),
                "{wrong:?}"
            );
        }
        let long = vec![b'1'; LONGEST_LINE + 1];
        assert!(Chunks::default().pass(&long, false).is_err());
    }
}
