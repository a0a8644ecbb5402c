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

/// Whether a head may end among these bytes.
pub(super) fn may_end(bytes: &[u8]) -> bool {
    memchr_iter(b'\n', bytes).any(|at| {
        let rest = &bytes[at + 1..];
        rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
    })
}

fn accept<'a>(request: &'a Request<'_, 'a>, bytes: &[u8]) -> Option<Head<'a>> {
    let (method, target) = (request.method?, request.path?);
    let plain = request.version == Some(1)
        && METHODS.contains(&method)
        && target.starts_with('/')
        && target.bytes().all(is_target)
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
pub(crate) fn is_target(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte)
}

/// httparse takes a bare LF for the end of a line.
fn ends_lines_well(bytes: &[u8]) -> bool {
    memchr_iter(b'\n', bytes).all(|at| at > 0 && bytes[at - 1] == b'\r')
}

#[cfg(test)]
mod tests {
    use super::super::framing::Framing;
    use super::*;

    /// Heads that are plain, and the length of their bodies.
    const GOOD: &[(&str, u64)] = &[
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0),
        (
            "GET /a%2Fb?c HTTP/1.1\r\nHost: [::1]:80\r\nCookie: a=b\r\nX:\r\n\r\n",
            0,
        ),
        (
            "PUT /x HTTP/1.1\r\nhost:a.example:8080\r\nContent-Length: 12\r\n\r\n",
            12,
        ),
        (
            "POST /x HTTP/1.1\r\nContent-length:\t3 \r\nConnection: close\r\nHost: a\r\n\r\n",
            3,
        ),
        (
            "HEAD // HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\nA: b\tc\r\n\r\n",
            0,
        ),
    ];

    /// Bytes that mean something to somebody who reads a head.
    const BYTES: &[u8] = b"\0\t\n\x0b\r \"#%,-/019:;?@A[\\]a{|}\x7f\x80\xff";

    fn accepts(bytes: &[u8]) -> Option<(usize, u64)> {
        match read(bytes, |head, length| (length, head.length)) {
            Found::Head(found) => Some(found),
            Found::Partial | Found::Foreign => None,
        }
    }

    /// Whether [`Framing`] finds a head of this length in the bytes, and so long a body after it.
    fn is_framed_so(bytes: &[u8], head: usize, body: u64) -> bool {
        let ends_with = |body: usize| {
            let mut framing = Framing::new(1 << 16);
            let message = [&bytes[..head], &vec![0; body]].concat();
            // The next byte begins a head, or it does not.
            framing.read(&message).is_ok() && framing.read(b"G").is_ok() && framing.in_head()
        };
        let body = usize::try_from(body).unwrap();
        ends_with(body) && (body == 0 || !ends_with(body - 1))
    }

    #[test]
    fn what_is_plain_is_read() {
        for (request, body) in GOOD {
            let found = accepts(request.as_bytes());
            assert_eq!(found, Some((request.len(), *body)), "{request}");
            for end in 0..request.len() {
                let part = read(&request.as_bytes()[..end], |_, _| ());
                assert_eq!(part, Found::Partial, "{:?}", &request[..end]);
            }
        }
    }

    #[test]
    fn what_is_malformed_is_never_read() {
        for (what, request) in testkit::malformed::REQUESTS {
            for end in 0..=request.len() {
                assert_eq!(accepts(&request.as_bytes()[..end]), None, "{what}");
            }
            let more = format!("{request}{}", GOOD[0].0);
            assert_eq!(accepts(more.as_bytes()), None, "{what}");
        }
    }

    /// Whatever comes of a good request by one byte put in, taken out, or replaced, and is still
    /// read: the guard and hyper's types have to agree to it.
    #[test]
    fn nothing_is_read_that_others_would_refuse_or_frame_otherwise() {
        let mut read = 0;
        let mut check = |bytes: &[u8]| {
            if let Some((length, body)) = accepts(bytes) {
                let text = String::from_utf8_lossy(bytes);
                assert!(is_framed_so(bytes, length, body), "{text:?}");
                let request = super::read(bytes, |head, _| head.to_request());
                let Found::Head(Some(request)) = request else {
                    panic!("no request: {text:?}");
                };
                assert_eq!(host::check(&request), Ok(()), "{text:?}");
                read += 1;
            }
        };
        for (request, _) in GOOD {
            let bytes = request.as_bytes();
            for at in 0..bytes.len() {
                let (before, after) = bytes.split_at(at);
                check(&[before, &after[1..]].concat());
                check(&[before, &after[..1], after].concat());
                for byte in BYTES {
                    check(&[before, &[*byte], after].concat());
                    check(&[before, &[*byte], &after[1..]].concat());
                }
            }
        }
        assert!(read > 1000, "{read}");
    }
}
