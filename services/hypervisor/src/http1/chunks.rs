//! Finds where a chunked body ends, and leaves it as it is.

use super::grammar::{Malformed, split_field, take};
use memchr::memchr;

/// Follows the bytes of a chunked body.
#[derive(Debug)]
pub(crate) struct Chunks {
    state: State,
    /// The start of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Bytes that a chunk's first line or a trailer may have.
    line: usize,
    /// Bytes that there may be of further trailers.
    trailers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    /// The CRLF after a chunk's data.
    End,
    Trailers,
    Over,
}

impl Chunks {
    /// A body whose lines, and whose trailers altogether, may have so many bytes.
    pub(crate) fn new(line: usize, trailers: usize) -> Self {
        Self {
            state: State::Size,
            partial: Vec::new(),
            line,
            trailers,
        }
    }

    /// Whether the whole body went by.
    pub(crate) fn over(&self) -> bool {
        self.state == State::Over
    }

    /// Whether another chunk may begin here, or the last one.
    pub(crate) fn between(&self) -> bool {
        self.state == State::Size && self.partial.is_empty()
    }

    /// Follows `bytes` as far as the body goes, or to the next place [`Chunks::between`] two
    /// chunks if that is what is wanted; says how many that were.
    ///
    /// # Errors
    /// What is wrong, and the offset of the byte that made it so.
    pub(crate) fn pass(
        &mut self,
        bytes: &[u8],
        to_between: bool,
    ) -> Result<usize, (usize, Malformed)> {
        let mut at = 0;
        while at < bytes.len() && !self.over() && !(to_between && self.between()) {
            if let State::Data(left) = self.state {
                let (taken, left) = take(left, bytes.len() - at);
                at += taken;
                self.state = match left {
                    0 => State::End,
                    left => State::Data(left),
                };
            } else {
                at = self.pass_line(bytes, at)?;
            }
        }
        Ok(at)
    }

    fn pass_line(&mut self, bytes: &[u8], at: usize) -> Result<usize, (usize, Malformed)> {
        let rest = &bytes[at..];
        let end = memchr(b'\n', rest);
        let here = &rest[..end.unwrap_or(rest.len())];
        if self.partial.len() + here.len() > self.line {
            return Err((at, Malformed("a line longer than the limit")));
        }
        if end.is_none() {
            self.partial.extend_from_slice(here);
            return Ok(bytes.len());
        }
        let verdict = if self.partial.is_empty() {
            self.line(here)
        } else {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(here);
            self.line(&whole)
        };
        let end = at + here.len();
        verdict.map_err(|malformed| (end, malformed))?;
        Ok(end + 1)
    }

    /// Takes one whole line, without its LF.
    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let line = line
            .strip_suffix(b"\r")
            .ok_or(Malformed("a line ends in a bare LF"))?;
        self.state = match self.state {
            State::Size => match chunk_size(line)? {
                0 => State::Trailers,
                size => State::Data(size),
            },
            State::End if line.is_empty() => State::Size,
            State::End => return Err(Malformed("a chunk is longer than its size")),
            State::Trailers if line.is_empty() => State::Over,
            State::Trailers => {
                self.trailers = self
                    .trailers
                    .checked_sub(line.len())
                    .ok_or(Malformed("more trailer bytes than the limit"))?;
                trailer(line)?;
                State::Trailers
            }
            state @ (State::Data(_) | State::Over) => state,
        };
        Ok(())
    }
}

fn trailer(line: &[u8]) -> Result<(), Malformed> {
    let (name, _) = split_field(line)?;
    let framing: [&[u8]; 3] = [b"content-length", b"transfer-encoding", b"host"];
    if framing.iter().any(|field| name.eq_ignore_ascii_case(field)) {
        return Err(Malformed("a trailer that would reframe the message"));
    }
    Ok(())
}

/// The size in `chunk-size [ chunk-ext ]`.
fn chunk_size(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (size, rest) = line.split_at(digits);
    let rest = rest.trim_ascii_start();
    let plain = rest.is_empty() && line.len() == digits;
    let extended =
        rest.first() == Some(&b';') && rest.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e));
    if !(plain || extended) {
        return Err(Malformed("a chunk without a proper size"));
    }
    let text = str::from_utf8(size).unwrap_or_default();
    u64::from_str_radix(text, 16).map_err(|_| Malformed("a chunk without a proper size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: usize = 4096;

    fn chunks() -> Chunks {
        Chunks::new(LINE, 16 * 1024)
    }

    const BODY: &[u8] = b"5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n";

    #[test]
    fn a_body_ends_where_its_trailers_do_however_it_comes() {
        let mut stream = BODY.to_vec();
        stream.extend_from_slice(b"HTTP/1.1 200 OK");
        assert_eq!(chunks().pass(&stream, false), Ok(BODY.len()));
        let mut chunks = chunks();
        for (at, byte) in BODY.iter().enumerate() {
            assert!(!chunks.over(), "over before byte {at}");
            assert_eq!(chunks.pass(&[*byte], false), Ok(1));
        }
        assert!(chunks.over());
    }

    #[test]
    fn the_next_place_between_two_chunks_is_found() {
        let mut chunks = chunks();
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
            assert!(chunks().pass(wrong.as_bytes(), false).is_err(), "{wrong:?}");
        }
        let long = vec![b'1'; LINE + 1];
        assert!(chunks().pass(&long, false).is_err());
    }
}
