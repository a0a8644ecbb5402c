//! Follows the bytes of an HTTP/1 connection and finds what RFC 9112 calls an error.
//!
//! hyper reads leniently where the RFC leaves a choice: it drops one of two framing headers
//! and answers 200. Two readers that choose differently are how requests are smuggled, so this
//! one accepts a message only if there is nothing to choose. It sees every byte before hyper
//! does, keeps no body, and knows of each message just where it ends.

use super::chunks::Chunks;
use super::grammar::{Malformed, decimal, split_field, take};
use memchr::memchr;

/// The first line of HTTP/2's connection preface.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Where on a connection we are.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    head: Head,
    /// The start of a line whose end has not come yet.
    partial: Vec<u8>,
    /// What the whole head may have, in bytes.
    limit: usize,
    /// No line of the connection was read yet.
    fresh: bool,
}

#[derive(Debug)]
enum State {
    RequestLine,
    Fields,
    Body(u64),
    Chunks(Chunks),
    /// HTTP/2 or an upgraded connection, which frame themselves.
    Foreign,
}

/// What the head that is being read says of its body.
#[derive(Debug, Default)]
struct Head {
    content_length: Option<u64>,
    chunked: bool,
    bytes: usize,
}

impl Framing {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: State::RequestLine,
            head: Head::default(),
            partial: Vec::new(),
            limit,
            fresh: true,
        }
    }

    /// From here on the connection is no longer HTTP/1.
    pub(crate) fn release(&mut self) {
        self.state = State::Foreign;
        self.partial = Vec::new();
    }

    /// Whether part of a head was read, and not yet all of it.
    pub(crate) fn in_head(&self) -> bool {
        match self.state {
            State::RequestLine => self.fresh || !self.partial.is_empty(),
            State::Fields => true,
            _ => false,
        }
    }

    /// Reads on. An error comes with the offset of the byte that completed it.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<(), (usize, Malformed)> {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.state {
                State::Foreign => return Ok(()),
                State::Body(left) => {
                    let (taken, left) = take(*left, bytes.len() - at);
                    at += taken;
                    self.state = if left == 0 {
                        State::RequestLine
                    } else {
                        State::Body(left)
                    };
                }
                State::Chunks(chunks) => {
                    at += chunks
                        .pass(&bytes[at..])
                        .map_err(|(offset, malformed)| (at + offset, malformed))?;
                    if chunks.over() {
                        self.state = State::RequestLine;
                    }
                }
                _ => at = self.read_line(bytes, at)?,
            }
        }
        Ok(())
    }

    /// Reads one line, or as much of it as there is, and says where the next byte is.
    fn read_line(&mut self, bytes: &[u8], at: usize) -> Result<usize, (usize, Malformed)> {
        let Some(length) = memchr(b'\n', &bytes[at..]) else {
            if self.partial.len() + bytes.len() - at > self.limit {
                return Err((at, Malformed("a line longer than the limit")));
            }
            self.partial.extend_from_slice(&bytes[at..]);
            return Ok(bytes.len());
        };
        let end = at + length;
        let line = &bytes[at..end];
        let verdict = if self.partial.is_empty() {
            self.line(line)
        } else {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(line);
            let verdict = self.line(&whole);
            whole.clear();
            self.partial = whole;
            verdict
        };
        verdict.map_err(|malformed| (end, malformed))?;
        Ok(end + 1)
    }

    /// Takes one whole line, without its LF.
    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let Some(line) = line.strip_suffix(b"\r") else {
            return Err(Malformed("a line ends in a bare LF"));
        };
        match self.state {
            State::RequestLine if line.is_empty() => {} // RFC 9112, 2.2: empty lines before it are skipped.
            State::RequestLine if self.fresh && line == PREFACE => self.release(),
            State::RequestLine => {
                request_line(line)?;
                self.fresh = false;
                self.head = Head::default();
                self.state = State::Fields;
            }
            State::Fields if line.is_empty() => self.state = self.head.body(self.limit)?,
            State::Fields => {
                self.count(line)?;
                self.head.field(line)?;
            }
            State::Body(_) | State::Chunks(_) | State::Foreign => {}
        }
        Ok(())
    }

    fn count(&mut self, line: &[u8]) -> Result<(), Malformed> {
        self.head.bytes += line.len();
        if self.head.bytes > self.limit {
            return Err(Malformed("more header bytes than the limit"));
        }
        Ok(())
    }
}

impl Head {
    fn field(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let (name, value) = split_field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.content_length.is_some() {
                return Err(Malformed("two Content-Length"));
            }
            self.content_length = Some(decimal(value)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed("a Transfer-Encoding other than `chunked`, once"));
            }
            self.chunked = true;
        }
        Ok(())
    }

    /// What follows the head.
    fn body(&self, limit: usize) -> Result<State, Malformed> {
        match (self.content_length, self.chunked) {
            (Some(_), true) => Err(Malformed("both Content-Length and Transfer-Encoding")),
            (None, true) => Ok(State::Chunks(Chunks::new(limit, limit))),
            (Some(0) | None, false) => Ok(State::RequestLine),
            (Some(length), false) => Ok(State::Body(length)),
        }
    }
}

/// `method SP target SP version`, each of visible ASCII; hyper reads the parts.
fn request_line(line: &[u8]) -> Result<(), Malformed> {
    if !line.iter().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Err(Malformed("a request line with bytes beyond visible ASCII"));
    }
    if line.contains(&b'#') {
        return Err(Malformed("a fragment in the request target"));
    }
    Ok(())
}
