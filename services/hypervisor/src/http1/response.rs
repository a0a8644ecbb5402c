//! Follows the bytes of a sandbox's responses, as [`super::framing`] does those of requests.
//!
//! What has one meaning in practice passes, also where the RFC has it written otherwise; what
//! readers differ about is refused.

use super::chunks::Chunks;
use super::grammar::{Malformed, decimal, split_field, take};
use super::lines::{Lines, without_cr};
use std::ops::Range;

/// Header lines of a response at most.
pub(crate) const MAX_LINES: usize = 1024;

/// Bytes of trailers at most, as hyper has it.
const TRAILERS: usize = 16 * 1024;

/// What a request says of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    /// It was HEAD, so there is no body.
    pub(crate) head: bool,
    /// It asked to switch protocols.
    pub(crate) upgrade: bool,
}

/// Where on a connection to a sandbox we are.
#[derive(Debug)]
pub(crate) struct ResponseFraming {
    state: State,
    asked: Asked,
    head: Head,
    lines: Lines,
    /// What the whole head may have, in bytes.
    limit: usize,
    /// Where chunk extensions are among the bytes that were read last.
    extensions: Vec<Range<usize>>,
}

#[derive(Debug)]
enum State {
    /// Nothing was asked that was not answered.
    Idle,
    StatusLine,
    Fields,
    Body(u64),
    Chunks(Chunks),
    /// A body up to the connection's end.
    Open,
    /// Another protocol.
    Switched,
}

#[derive(Debug, Default)]
struct Head {
    status: u16,
    http10: bool,
    content_length: Option<u64>,
    chunked: bool,
    bytes: usize,
    lines: usize,
}

impl ResponseFraming {
    /// A connection on which nothing was asked; `limit` is for the bytes of a head.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: State::Idle,
            asked: Asked::default(),
            head: Head::default(),
            lines: Lines::default(),
            limit,
            extensions: Vec::new(),
        }
    }

    /// Whether nothing is to come.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// A request is on its way.
    pub(crate) fn ask(&mut self, asked: Asked) {
        self.asked = asked;
        self.begin();
    }

    fn begin(&mut self) {
        self.state = State::StatusLine;
        self.head = Head::default();
    }

    /// Where chunk extensions are among the bytes that were [`ResponseFraming::read`] last.
    pub(crate) fn extensions(&self) -> &[Range<usize>] {
        &self.extensions
    }

    /// Reads on, up to the response's end; says how many of the bytes that were.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut at = 0;
        self.extensions.clear();
        while at < bytes.len() {
            match &mut self.state {
                State::Idle => break,
                State::Open | State::Switched => return Ok(bytes.len()),
                State::Body(left) => {
                    let (taken, left) = take(*left, bytes.len() - at);
                    at += taken;
                    self.state = match left {
                        0 => State::Idle,
                        left => State::Body(left),
                    };
                }
                State::Chunks(chunks) => {
                    let passed = chunks.pass(&bytes[at..]);
                    let moved = |it: &Range<usize>| at + it.start..at + it.end;
                    self.extensions
                        .extend(chunks.extensions().iter().map(moved));
                    at += passed.map_err(|(_, malformed)| malformed)?;
                    if chunks.over() {
                        self.state = State::Idle;
                    }
                }
                State::StatusLine | State::Fields => at = self.read_line(bytes, at)?,
            }
        }
        Ok(at)
    }

    /// Reads one line, or as much of it as there is, and says where the next byte is.
    fn read_line(&mut self, bytes: &[u8], at: usize) -> Result<usize, Malformed> {
        let most = self.limit.saturating_sub(self.head.bytes);
        let Some((line, read)) = self.lines.next(&bytes[at..], most) else {
            return Err(Malformed(
                "its head has more bytes than proxy.max_response_header_bytes allows",
            ));
        };
        if let Some(line) = line {
            self.line(&line)?;
        }
        Ok(at + read)
    }

    /// Takes one whole line, without its LF.
    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        self.head.bytes += line.len() + 1;
        let line = without_cr(line)?;
        if matches!(self.state, State::StatusLine) {
            self.head.status_line(line)?;
            self.state = State::Fields;
        } else if line.is_empty() {
            match self.head.body(self.asked, self.limit)? {
                State::StatusLine => self.begin(),
                state => self.state = state,
            }
        } else {
            self.head.field(line)?;
        }
        Ok(())
    }
}

impl Head {
    /// `version SP status [ SP reason ]`; many servers have no space before no reason.
    fn status_line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        const NONE: Malformed = Malformed("its first line is no status line of HTTP/1");
        let (version, rest) = line.split_at_checked(8).ok_or(NONE)?;
        self.http10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(NONE),
        };
        let (status, reason) = match rest {
            [b' ', _, _, _] => (&rest[1..], &b""[..]),
            [b' ', _, _, _, b' ', reason @ ..] => (&rest[1..4], reason),
            _ => return Err(NONE),
        };
        let text = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
        if status[0] == b'0' || !status.iter().all(u8::is_ascii_digit) || !reason.iter().all(text) {
            return Err(NONE);
        }
        let digits = status.iter().map(|digit| u16::from(digit - b'0'));
        self.status = digits.fold(0, |status, digit| 10 * status + digit);
        Ok(())
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Malformed> {
        self.lines += 1;
        if self.lines > MAX_LINES {
            return Err(Malformed("its head has more than 1024 lines"));
        }
        let (name, value) = split_field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            for length in value.split(|byte| *byte == b',') {
                let length = decimal(length.trim_ascii())?;
                if self.content_length.is_some_and(|said| said != length) {
                    return Err(Malformed("two different values of Content-Length"));
                }
                self.content_length = Some(length);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed("a Transfer-Encoding other than `chunked`, once"));
            }
            self.chunked = true;
        }
        Ok(())
    }

    /// What follows the head.
    fn body(&self, asked: Asked, limit: usize) -> Result<State, Malformed> {
        if self.chunked && self.http10 {
            return Err(Malformed("Transfer-Encoding in a response of HTTP/1.0"));
        }
        if self.chunked && self.content_length.is_some() {
            return Err(Malformed("both Content-Length and Transfer-Encoding"));
        }
        if self.chunked && matches!(self.status, 100..=199 | 204) {
            return Err(Malformed("Transfer-Encoding where there is no body"));
        }
        Ok(match self.status {
            101 if asked.upgrade => State::Switched,
            101 => {
                return Err(Malformed(
                    "it switched protocols, and nobody had asked it to",
                ));
            }
            100..=199 => State::StatusLine,
            204 | 304 => State::Idle,
            _ if asked.head => State::Idle,
            _ if self.chunked => State::Chunks(Chunks::new(limit, TRAILERS).lenient()),
            _ => match self.content_length {
                Some(0) => State::Idle,
                Some(length) => State::Body(length),
                None => State::Open,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Asked = Asked {
        head: false,
        upgrade: false,
    };
    const HEAD: Asked = Asked {
        head: true,
        upgrade: false,
    };
    const UPGRADE: Asked = Asked {
        head: false,
        upgrade: true,
    };

    /// How many of the bytes belong to the response, and whether it is over; the same in pieces
    /// of every size.
    fn read(asked: Asked, bytes: &str) -> Result<(usize, bool), Malformed> {
        let in_pieces = |step: usize| {
            let mut framing = ResponseFraming::new(4096);
            framing.ask(asked);
            let mut all = 0;
            for piece in bytes.as_bytes().chunks(step) {
                let count = framing.read(piece)?;
                all += count;
                if count < piece.len() {
                    break;
                }
            }
            Ok((all, framing.is_idle()))
        };
        let whole = in_pieces(bytes.len());
        for step in 1..bytes.len() {
            assert_eq!(in_pieces(step), whole, "in pieces of {step}: {bytes:?}");
        }
        whole
    }

    #[test]
    fn a_response_ends_where_its_framing_says() {
        let ok = "HTTP/1.1 200 OK\r\n";
        for (asked, head, body) in [
            (GET, format!("{ok}Content-Length: 2\r\n\r\n"), "hi"),
            (GET, format!("{ok}Content-Length: 2, 2\r\n\r\n"), "hi"),
            (
                GET,
                format!("{ok}Content-Length: 2\r\ncontent-length:2\r\n\r\n"),
                "hi",
            ),
            (GET, format!("{ok}Content-Length: 0\r\n\r\n"), ""),
            (
                GET,
                format!("{ok}Transfer-Encoding: Chunked\r\n\r\n"),
                "2  \r\nhi\r\n0;\u{e4}\r\nX: y\r\n\r\n",
            ),
            (HEAD, format!("{ok}Content-Length: 9\r\n\r\n"), ""),
            (HEAD, format!("{ok}Transfer-Encoding: chunked\r\n\r\n"), ""),
            (GET, "HTTP/1.1 204\r\nContent-Length: 0\r\n\r\n".into(), ""),
            (GET, "HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n".into(), ""),
            (
                GET,
                format!("HTTP/1.1 103 x\r\nLink: y\r\n\r\n{ok}Content-Length: 1\r\n\r\n"),
                "x",
            ),
        ] {
            let response = format!("{head}{body}");
            let more = format!("{response}HTTP/1.1 200 OK\r\n");
            for bytes in [&response, &more] {
                let read = read(asked, bytes);
                assert_eq!(read, Ok((response.len(), true)), "{response:?}");
            }
        }
    }

    #[test]
    fn a_body_without_framing_and_another_protocol_go_on() {
        for (asked, response) in [
            (GET, "HTTP/1.0 200 \u{e4}\r\n\r\nHTTP/1.1 200 OK\n"),
            (UPGRADE, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n\0\n"),
        ] {
            let all = Ok((response.len(), false));
            assert_eq!(read(asked, response), all, "{response:?}");
        }
        let mut idle = ResponseFraming::new(99);
        assert_eq!(idle.read(b"HTTP/1.1 408 Request Timeout\r\n"), Ok(0));
    }

    #[test]
    fn what_readers_differ_about_is_an_error() {
        for fields in [
            "Content-Length: 2\r\nContent-Length: 3",
            "Content-Length: 2, 3",
            "Content-Length: 2,",
            "Content-Length: +2",
            "Content-Length: 18446744073709551616",
            "Content-Length: 2\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: gzip",
            "Transfer-Encoding:",
            "X: y\r\n z",
            "X : y",
            " X: y",
            "X: y\nZ: z",
            "X: \0",
            "X: y\rz",
            "X",
        ] {
            for asked in [GET, HEAD, UPGRADE] {
                for status in ["200 OK", "204 No Content", "304 Not Modified", "103 Hints"] {
                    let response = format!("HTTP/1.1 {status}\r\n{fields}\r\n\r\n");
                    assert!(read(asked, &response).is_err(), "{response:?}");
                }
            }
        }
        for line in [
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 101 Switching Protocols",
            "HTTP/2 200 OK",
            "HTTP/1.2 200 OK",
            "http/1.1 200 OK",
            "HTTP/1.1 020 OK",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 2000 OK",
            "HTTP/1.1  200 OK",
            "HTTP/1.1\t200 OK",
            "HTTP/1.1 200 \0",
            "HTTP/1.1 200 O\rK",
            "\r\nHTTP/1.1 200 OK",
            "",
        ] {
            assert!(read(GET, &format!("{line}\r\n\r\n")).is_err(), "{line:?}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(4096));
        assert!(read(GET, &long).is_err());
        for (lines, good) in [(MAX_LINES, true), (MAX_LINES + 1, false)] {
            let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a:\r\n".repeat(lines));
            let mut framing = ResponseFraming::new(1 << 20);
            framing.ask(GET);
            assert_eq!(framing.read(many.as_bytes()).is_ok(), good);
        }
    }
}
