//! Finds where a chunked body ends, and leaves it as it is.

use super::grammar::{Malformed, split_field, take};
use super::lines::{Lines, without_cr};
use memchr::memchr;
use std::ops::Range;

/// Follows the bytes of a chunked body.
#[derive(Debug)]
pub(crate) struct Chunks {
    state: State,
    lines: Lines,
    /// Bytes that a chunk's first line or a trailer may have.
    line: usize,
    /// Bytes that there may be of further trailers.
    trailers: usize,
    /// Whether sizes may be padded, and extensions be of any bytes that end no line.
    lenient: bool,
    /// Where extensions are among the bytes that were passed last.
    extensions: Vec<Range<usize>>,
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
            lines: Lines::default(),
            line,
            trailers,
            lenient: false,
            extensions: Vec::new(),
        }
    }

    /// The same for a sandbox's body, in which there is nothing to choose either when sizes are
    /// padded, as some servers do, and extensions are written in a way of their own.
    pub(crate) fn lenient(self) -> Self {
        Self {
            lenient: true,
            ..self
        }
    }

    /// Whether the whole body went by.
    pub(crate) fn over(&self) -> bool {
        self.state == State::Over
    }

    /// Where extensions are among the bytes that were [`Chunks::pass`]ed last: nobody acts on
    /// them, and hyper counts those of a whole body together.
    pub(crate) fn extensions(&self) -> &[Range<usize>] {
        &self.extensions
    }

    /// Follows `bytes` as far as the body goes; says how many that were.
    ///
    /// # Errors
    /// What is wrong, and the offset of the byte that made it so.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Result<usize, (usize, Malformed)> {
        let mut at = 0;
        self.extensions.clear();
        while at < bytes.len() && !self.over() {
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
        let extended = memchr(b';', self.lines.partial()).is_some();
        let Some((line, read)) = self.lines.next(&bytes[at..], self.line) else {
            return Err((at, Malformed("a line longer than the limit")));
        };
        let end = at + read;
        if self.lenient && self.state == State::Size {
            self.note_extension(&bytes[at..end], at, extended);
        }
        if let Some(line) = line {
            self.line(&line).map_err(|malformed| (end - 1, malformed))?;
        }
        Ok(end)
    }

    /// Notes what of a piece of a chunk's first line is behind the size; all of it, if that was so
    /// before.
    fn note_extension(&mut self, piece: &[u8], at: usize, extended: bool) {
        let begins = if extended {
            Some(0)
        } else {
            memchr(b';', piece)
        };
        let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
        let ends = piece.strip_suffix(b"\r").unwrap_or(piece).len();
        if let Some(begins) = begins.filter(|begins| *begins < ends) {
            self.extensions.push(at + begins..at + ends);
        }
    }

    /// Takes one whole line, without its LF.
    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let line = without_cr(line)?;
        self.state = match self.state {
            State::Size => match chunk_size(line, self.lenient)? {
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
fn chunk_size(line: &[u8], lenient: bool) -> Result<u64, Malformed> {
    const NONE: Malformed = Malformed("a chunk without a proper size");
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (size, rest) = line.split_at(digits);
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\t' | b' '))
        .count();
    let good = match &rest[blanks..] {
        [] => blanks == 0 || lenient,
        [b';', extension @ ..] => extension.iter().all(|byte| match byte {
            b'\r' | 0 => false,
            b'\t' | 0x20..=0x7e => true,
            _ => lenient,
        }),
        _ => false,
    };
    if !good {
        return Err(NONE);
    }
    let text = str::from_utf8(size).unwrap_or_default();
    u64::from_str_radix(text, 16).map_err(|_| NONE)
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
        assert_eq!(chunks().pass(&stream), Ok(BODY.len()));
        let mut chunks = chunks();
        for (at, byte) in BODY.iter().enumerate() {
            assert!(!chunks.over(), "over before byte {at}");
            assert_eq!(chunks.pass(&[*byte]), Ok(1));
        }
        assert!(chunks.over());
    }

    #[test]
    fn a_lenient_one_takes_padding_and_any_extension_and_says_where_they_are() {
        let stream = "2  ;x=\"\u{e4}\"\r\nhi\r\n1\t \r\n;\r\n0;;\r\n\r\n".as_bytes();
        for step in 1..=stream.len() {
            let mut chunks = chunks().lenient();
            let mut blanked = Vec::new();
            for piece in stream.chunks(step) {
                assert_eq!(chunks.pass(piece), Ok(piece.len()), "in pieces of {step}");
                let mut piece = piece.to_vec();
                for extension in chunks.extensions() {
                    piece[extension.clone()].fill(b' ');
                }
                blanked.extend(piece);
            }
            let expected = b"2         \r\nhi\r\n1\t \r\n;\r\n0  \r\n\r\n".as_slice();
            assert_eq!(blanked, expected, "in pieces of {step}");
            assert!(chunks.over());
        }
        for wrong in ["2 2\r\n", "2;\0\r\n", "2;\r \r\n", " 2\r\n", "2\u{b}\r\n"] {
            assert!(
                chunks().lenient().pass(wrong.as_bytes()).is_err(),
                "{wrong:?}"
            );
        }
        assert!(chunks().pass("2;\u{e4}\r\n".as_bytes()).is_err());
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
            assert!(chunks().pass(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        let long = vec![b'1'; LINE + 1];
        assert!(chunks().pass(&long).is_err());
    }
}
