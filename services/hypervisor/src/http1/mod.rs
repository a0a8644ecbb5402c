//! The grammar of HTTP/1.1 (RFC 9112), as far as hyper leaves something to choose.

mod chunks;
mod framing;
mod grammar;
mod host;
mod response;

pub(crate) use framing::Framing;
pub(crate) use host::is_host;
pub(crate) use response::{Asked, MAX_LINES, ResponseFraming};

/// RFC 3986's characters of a path and a query.
pub(crate) fn is_target(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte)
}
