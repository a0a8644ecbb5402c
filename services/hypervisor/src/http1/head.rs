//! The head of a request, as strict as RFC 9112 lets one be.
//!
//! hyper reads leniently where the RFC leaves a choice: it drops one of two framing headers
//! and answers 200. Two readers that choose differently are how requests are smuggled, so this
//! one accepts a head only if there is nothing to choose; and only what hyper accepts, too, for
//! its own refusals say nothing.

use super::grammar::decimal;
use super::{Refusal, is_host, is_target, is_token};
use http::Uri;
use memchr::memchr;

/// Header fields that hyper has room for.
const MOST_FIELDS: usize = 100;

/// Bytes that the `http` crate takes for a target.
const LONGEST_TARGET: usize = 65_534;

/// A head that is being read.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Where the line begins that is read next.
    line: usize,
    /// Up to where it was looked at.
    seen: usize,
    has_request_line: bool,
    fields: usize,
    is_http10: bool,
    content_length: Option<u64>,
    chunked: bool,
}

/// How a message's body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Known(u64),
    Chunked,
}

impl Head {
    /// Reads on in a head of at most `limit` bytes, of which `bytes` are those that came so far;
    /// says where it ends, once that is known.
    pub(super) fn read(&mut self, bytes: &[u8], limit: usize) -> Result<Option<usize>, Refusal> {
        while let Some(length) = memchr(b'\n', &bytes[self.seen..]) {
            let end = self.seen + length;
            let line = &bytes[self.line..end];
            self.line = end + 1;
            self.seen = end + 1;
            if self.seen > limit {
                return Err(self.too_long());
            }
            let Some(line) = line.strip_suffix(b"\r") else {
                return Err(Refusal::malformed(
                    "a line of the request ends in a bare LF; end each in CRLF",
                ));
            };
            match (self.has_request_line, line.is_empty()) {
                (false, true) => {} // RFC 9112, 2.2: empty lines before it are skipped.
                (false, false) => self.request_line(line)?,
                (true, false) => self.field(line)?,
                (true, true) => return Ok(Some(self.seen)),
            }
        }
        self.seen = bytes.len();
        if bytes.len() > limit {
            return Err(self.too_long());
        }
        Ok(None)
    }

    fn too_long(&self) -> Refusal {
        if self.has_request_line {
            Refusal::HEAD_TOO_LARGE
        } else {
            Refusal::TARGET_TOO_LONG
        }
    }

    /// Whether its sender knows HTTP/1.0 alone.
    pub(super) fn is_http10(&self) -> bool {
        self.is_http10
    }

    /// What follows it.
    pub(super) fn body(&self) -> Result<Length, Refusal> {
        match (self.content_length, self.chunked) {
            (Some(_), true) => Err(Refusal::malformed(
                "the request has both Content-Length and Transfer-Encoding; send one of them",
            )),
            (None, true) if self.is_http10 => Err(Refusal::malformed(
                "HTTP/1.0 has no Transfer-Encoding; send a Content-Length, or HTTP/1.1",
            )),
            (None, true) => Ok(Length::Chunked),
            (length, false) => Ok(Length::Known(length.unwrap_or(0))),
        }
    }

    /// `method SP target SP version`.
    fn request_line(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let mut parts = line.split(|byte| *byte == b' ');
        let mut part = || parts.next().unwrap_or_default();
        let (method, path, version) = (part(), part(), part());
        if parts.next().is_some() || version.is_empty() {
            return Err(Refusal::malformed(
                "the request line is not `method target version`; percent-encode spaces in the target",
            ));
        }
        if method.is_empty() || !method.iter().copied().all(is_token) {
            return Err(Refusal::malformed(
                "the method is no token of RFC 9110; use one such as GET",
            ));
        }
        target(path)?;
        self.is_http10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => {
                return Err(Refusal::malformed(
                    "the version is neither HTTP/1.1 nor HTTP/1.0; HTTP/2 begins with its preface",
                ));
            }
        };
        self.has_request_line = true;
        Ok(())
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.fields += 1;
        if self.fields > MOST_FIELDS {
            return Err(Refusal::TOO_MANY_FIELDS);
        }
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.content_length.is_some() {
                return Err(Refusal::malformed(
                    "the request has two Content-Length; send one",
                ));
            }
            self.content_length = Some(decimal(value).map_err(|_| BAD_LENGTH)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::malformed(
                    "a Transfer-Encoding other than `chunked`, once, is not understood; send that",
                ));
            }
            self.chunked = true;
        }
        Ok(())
    }
}

/// 1 for the bytes that no value of a field may have.
static IS_CONTROL: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < b' ' {
        table[byte as usize] = 1;
        byte += 1;
    }
    table[b'\t' as usize] = 0;
    table[0x7f] = 1;
    table
};

const BAD_LENGTH: Refusal =
    Refusal::malformed("the Content-Length is no number of bytes; send a decimal one");

/// A request target that the `http` crate reads. Whom it names is looked at later.
fn target(target: &[u8]) -> Result<(), Refusal> {
    if target.len() > LONGEST_TARGET {
        return Err(Refusal::TARGET_TOO_LONG);
    }
    if target.first() == Some(&b'/') && target.iter().copied().all(is_target) {
        return Ok(());
    }
    if !target.iter().all(u8::is_ascii_graphic) {
        return Err(Refusal::malformed(
            "the request target has bytes beyond visible ASCII; percent-encode them",
        ));
    }
    if target.contains(&b'#') {
        return Err(Refusal::malformed(
            "the request target has a fragment; leave off what follows the `#`, or percent-encode it",
        ));
    }
    let is_one = Uri::try_from(target).is_ok_and(|uri| {
        let authority = uri
            .authority()
            .map(|authority| authority.as_str().as_bytes());
        target.starts_with(b"/")
            || target == b"*"
            || matches!(uri.scheme_str(), Some("http" | "https")) && authority.is_some()
            || authority == Some(target) && is_host(target) // Of CONNECT, which is refused later.
    });
    if !is_one {
        return Err(Refusal::malformed(
            "the request target is no path or URI of RFC 3986; percent-encode what is not allowed there",
        ));
    }
    Ok(())
}

/// The parts of `name: value`.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let Some(colon) = memchr(b':', line) else {
        return Err(Refusal::malformed(
            "a header field has no colon; send `name: value`, and no folded lines",
        ));
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(Refusal::malformed(
            "the name of a header field is no token of RFC 9110; send no spaces around it",
        ));
    }
    // No early end, so that it is done for many bytes at once.
    let bad = value
        .iter()
        .fold(0, |bad, byte| bad | IS_CONTROL[usize::from(*byte)]);
    if bad != 0 {
        return Err(Refusal::malformed(
            "the value of a header field has a control byte; encode it",
        ));
    }
    Ok((name, value.trim_ascii()))
}
