//! The grammar of HTTP/1.1 (RFC 9112), as far as hyper leaves something to choose.

mod chunks;
mod framing;
mod grammar;
mod head;
mod host;
mod lines;
mod refusal;
mod response;

pub(crate) use framing::{Framing, Stop};
pub(crate) use host::is_host;
pub(crate) use refusal::Refusal;
pub(crate) use response::{Asked, MAX_LINES, ResponseFraming};

/// The ASCII letters and digits, and `others`.
const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

static TARGET: [bool; 256] = table(b"-._~!$&'()*+,;=:@/?%");
static TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// RFC 3986's characters of a path and a query.
pub(crate) fn is_target(byte: u8) -> bool {
    TARGET[usize::from(byte)]
}

/// RFC 9110's characters of a token.
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}
