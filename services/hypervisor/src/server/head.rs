//! The head of a plain HTTP/1.1 request, read where it lies.
//!
//! What the fast path may answer is read here, and nothing else: whatever is rare, doubtful or
//! wrong is [`Found::Foreign`], and goes through [`super::guard`] and hyper, which also say 400.
//! So this reader may refuse more than they do, and must never accept more.

use super::framing::decimal;
use super::host;
use crate::Body;
use httparse::{Header, Request, Status};
use memchr::memchr_iter;
use std::mem::MaybeUninit;

/// More fields than this are for hyper to count.
const FIELDS: usize = 64;

/// Methods whose messages mean just what their framing says.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A plain request's head.
pub struct Head<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) fields: &'a [Header<'a>],
    /// Bytes of its body.
    pub(crate) length: u64,
    /// Whether the connection ends with this request.
    pub(crate) close: bool,
}

/// What some bytes are the beginning of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<R> {
    /// A head whose end has not come yet.
    Partial,
    /// Nothing for the fast path.
    Foreign,
    /// A head, and what was made of it.
    Head(R),
}

/// Reads the head that `bytes` begin with, and has `make` use it and its length.
pub(crate) fn read<R>(bytes: &[u8], make: impl FnOnce(&Head<'_>, usize) -> R) -> Found<R> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut request = Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if ends_lines_well(bytes) => return Found::Partial,
        Ok(Status::Partial) | Err(_) => return Found::Foreign,
    };
    match accept(&request, &bytes[..length]) {
        Some(head) => Found::Head(make(&head, length)),
        None => Found::Foreign,
    }
}

fn accept<'a>(request: &'a Request<'_, 'a>, bytes: &[u8]) -> Option<Head<'a>> {
    let (method, target) = (request.method?, request.path?);
    let plain = request.version == Some(1)
        && METHODS.contains(&method)
        && target.starts_with('/')
        && target.bytes().all(is_plain)
        && ends_lines_well(bytes);
    if !plain {
        return None;
    }
    let mut head = Head {
        method,
        target,
        fields: request.headers,
        length: 0,
        close: false,
    };
    let (mut host, mut length) = (None, None);
    for field in head.fields {
        let value = field.value;
        match Known::of(field.name) {
            Some(Known::Host) if host.is_none() => host = Some(value),
            Some(Known::ContentLength) if length.is_none() => {
                length = Some(decimal(value.trim_ascii()).ok()?);
            }
            Some(Known::Connection) => head.close |= closes(value)?,
            Some(Known::Host | Known::ContentLength | Known::Rare) => return None,
            None => {}
        }
    }
    if !host::is_host(host?) {
        return None;
    }
    head.length = length.unwrap_or(0);
    Some(head)
}

impl<'a> Head<'a> {
    /// The values of a field, `name` in lower case.
    pub(crate) fn values(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let named = |field: &&Header<'a>| field.name.eq_ignore_ascii_case(name);
        self.fields.iter().filter(named).map(|field| field.value)
    }

    /// The same for whoever needs maps; without the body.
    pub(crate) fn to_request(&self) -> Option<http::Request<Body>> {
        let mut request = http::Request::builder()
            .method(self.method)
            .uri(self.target);
        for field in self.fields {
            request = request.header(field.name, field.value);
        }
        request.body(Body::empty()).ok()
    }

    /// The target without its query.
    pub(crate) fn path(&self) -> &'a str {
        self.target
            .split_once('?')
            .map_or(self.target, |(path, _)| path)
    }
}

/// Fields that say what a request is.
enum Known {
    Host,
    ContentLength,
    Connection,
    /// With it, the request is not for the fast path.
    Rare,
}

impl Known {
    fn of(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            2 if is("te") => Some(Self::Rare),
            4 if is("host") => Some(Self::Host),
            6 if is("expect") => Some(Self::Rare),
            7 if is("upgrade") || is("trailer") => Some(Self::Rare),
            10 if is("connection") => Some(Self::Connection),
            14 if is("content-length") => Some(Self::ContentLength),
            17 if is("transfer-encoding") => Some(Self::Rare),
            _ => None,
        }
    }
}

/// Whether `Connection` asks for the end; `None` if it says anything else but to stay.
fn closes(value: &[u8]) -> Option<bool> {
    let value = value.trim_ascii();
    if value.eq_ignore_ascii_case(b"keep-alive") {
        Some(false)
    } else if value.eq_ignore_ascii_case(b"close") {
        Some(true)
    } else {
        None
    }
}

/// RFC 3986's characters of a path and a query.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte)
}

/// httparse takes a bare LF for the end of a line.
fn ends_lines_well(bytes: &[u8]) -> bool {
    memchr_iter(b'\n', bytes).all(|at| at > 0 && bytes[at - 1] == b'\r')
}
