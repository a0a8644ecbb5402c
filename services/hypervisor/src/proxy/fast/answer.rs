//! The head of a sandbox's answer, written anew for the client.

use super::super::{cookies, hop, response, shared_origin};
use super::request::Order;
use super::text::{line, put};
use crate::server::{Chunks, Malformed, decimal};
use http::StatusCode;
use httparse::{Header, Response, Status};
use std::mem::MaybeUninit;
use std::time::SystemTime;

/// More fields than this are an error of the sandbox.
const FIELDS: usize = 128;

/// Bytes of a chunk's first line, or of a trailer.
const LONGEST_LINE: usize = 4096;
/// Bytes of all trailers.
const LONGEST_TRAILERS: usize = 16 * 1024;

/// What an answer's head says.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) rest: Rest,
    /// Whether the connection to the sandbox can be used again after it.
    pub(super) reusable: bool,
    /// Whether it is a stream that may be ended at any event.
    pub(super) events: bool,
}

/// What of the body is still to come.
pub(super) enum Rest {
    Length(u64),
    Chunks(Chunks),
    /// Everything up to the end of the connection.
    Connection {
        over: bool,
    },
}

/// What the beginning of an answer is.
pub(super) enum Begun {
    /// There is more of the head to come.
    Partial,
    /// A 1xx of so many bytes, which says nothing.
    Interim(usize),
    /// A head of so many bytes.
    Answer(Answer, usize),
}

/// What the fields say of the body.
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    /// Whether `Connection` ends it.
    closes: Option<bool>,
    dated: bool,
    events: bool,
}

/// Reads the head that `bytes` begin with, and writes to `out` what the client gets of it.
///
/// # Errors
/// What is wrong with it, in words that stand after «gave no answer:».
pub(super) fn read(
    bytes: &[u8],
    order: &Order,
    own_cookies: &[Box<str>],
    close: bool,
    out: &mut Vec<u8>,
) -> Result<Begun, &'static str> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut response = Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut fields,
    );
    let length = match parsed {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(Begun::Partial),
        Err(_) => return Err("its answer is not HTTP"),
    };
    let status = StatusCode::from_u16(response.code.unwrap_or_default())
        .map_err(|_| "its answer has no status")?;
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err("it switched protocols, and nobody had asked it to");
    }
    if status.is_informational() {
        return Ok(Begun::Interim(length));
    }
    let mut framing = Framing::default();
    for field in response.headers.iter() {
        framing.hear(field)?;
    }
    let modern = response.version == Some(1);
    let rest = framing.rest(status, order.headless);
    let reason = response.reason.unwrap_or_default().as_bytes();
    put(
        out,
        &[
            b"HTTP/1.1 ",
            status.as_str().as_bytes(),
            b" ",
            reason,
            b"\r\n",
        ],
    );
    let kept = Kept {
        own_cookies,
        named: named(response.headers),
    };
    for field in response.headers.iter().filter(|field| kept.has(field)) {
        line(out, field.name, field.value);
    }
    if let Some(length) = framing.length.filter(|_| framing.has_length(status)) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(length).as_bytes();
        line(out, "content-length", digits);
    }
    if !framing.dated {
        let now = httpdate::fmt_http_date(SystemTime::now());
        line(out, "date", now.as_bytes());
    }
    if matches!(rest, Rest::Chunks(_) | Rest::Connection { .. }) {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    if close {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    let answer = Answer {
        status,
        reusable: framing.closes.map_or(modern, |closes| !closes)
            && !matches!(rest, Rest::Connection { .. }),
        rest,
        events: framing.events,
    };
    Ok(Begun::Answer(answer, length))
}

impl Framing {
    fn hear(&mut self, field: &Header<'_>) -> Result<(), &'static str> {
        let is = |known: &str| field.name.eq_ignore_ascii_case(known);
        let value = field.value.trim_ascii();
        match field.name.len() {
            4 => self.dated |= is("date"),
            10 if is("connection") => {
                for token in hop::members(value) {
                    if token.eq_ignore_ascii_case(b"close") {
                        self.closes = Some(true);
                    } else if token.eq_ignore_ascii_case(b"keep-alive") {
                        self.closes = self.closes.or(Some(false));
                    }
                }
            }
            12 if is("content-type") => {
                self.events = response::is_event_stream(value);
            }
            14 if is("content-length") => {
                let length = decimal(value).map_err(|Malformed(why)| why)?;
                if self.length.is_some_and(|first| first != length) {
                    return Err("it named two lengths");
                }
                self.length = Some(length);
            }
            17 if is("transfer-encoding") => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err("it used a transfer coding that nobody had asked for");
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether `Content-Length` counts, and may be there (RFC 9110, section 8.6).
    fn has_length(&self, status: StatusCode) -> bool {
        !self.chunked && status != StatusCode::NO_CONTENT
    }

    /// RFC 9112, section 6.3.
    fn rest(&self, status: StatusCode, headless: bool) -> Rest {
        match (self.chunked, self.length) {
            _ if headless
                || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) =>
            {
                Rest::Length(0)
            }
            (true, _) => Rest::Chunks(chunks()),
            (false, Some(length)) => Rest::Length(length),
            (false, None) => Rest::Connection { over: false },
        }
    }
}

fn chunks() -> Chunks {
    Chunks::new(LONGEST_LINE, LONGEST_TRAILERS).without(shared_origin::has_trailer)
}

/// Which fields the client gets.
struct Kept<'a> {
    own_cookies: &'a [Box<str>],
    /// Those that `Connection` names.
    named: Vec<&'a [u8]>,
}

impl Kept<'_> {
    fn has(&self, field: &Header<'_>) -> bool {
        let name = field.name;
        if hop::is_hop_by_hop(name) || shared_origin::has(name.as_bytes()) {
            return false;
        }
        match name.len() {
            // Written anew, once.
            14 if name.eq_ignore_ascii_case("content-length") => return false,
            10 if name.eq_ignore_ascii_case("set-cookie") => {
                return !cookies::sets_own_cookie(field.value, self.own_cookies);
            }
            _ => {}
        }
        !self
            .named
            .iter()
            .any(|named| named.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// What `Connection` names beside the usual.
fn named<'a>(fields: &[Header<'a>]) -> Vec<&'a [u8]> {
    fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("connection"))
        .flat_map(|field| hop::members(field.value))
        .filter(|token| {
            !matches!(token.len(), 5 | 10) || {
                !token.eq_ignore_ascii_case(b"close") && !token.eq_ignore_ascii_case(b"keep-alive")
            }
        })
        .collect()
}

impl Rest {
    /// How many of `bytes` belong to the body; the rest was not asked for.
    pub(super) fn take(&mut self, bytes: &[u8], to_between: bool) -> Result<usize, Malformed> {
        match self {
            Self::Length(left) => {
                let taken = usize::try_from(*left).map_or(bytes.len(), |it| it.min(bytes.len()));
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunks(chunks) => chunks
                .pass(bytes, to_between)
                .map_err(|(_, malformed)| malformed),
            Self::Connection { .. } => Ok(bytes.len()),
        }
    }

    /// What the client gets of the bytes that were taken last: those, and what stands for trailers
    /// that are not all passed on.
    pub(super) fn passed<'a>(&'a self, taken: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        match self {
            Self::Chunks(chunks) => chunks.passed(taken),
            _ => (taken, b""),
        }
    }

    pub(super) fn over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunks(chunks) => chunks.over(),
            Self::Connection { over } => *over,
        }
    }

    /// Whether a body that goes on could be ended here, with [`LAST_CHUNK`].
    pub(super) fn may_end(&self) -> bool {
        match self {
            Self::Length(_) => false,
            Self::Chunks(chunks) => chunks.between(),
            Self::Connection { .. } => true,
        }
    }
}

/// The end of a chunked body.
pub(super) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
