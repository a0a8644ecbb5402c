//! What heads and chunked bodies have in common.

use memchr::memchr;

/// The message breaks the rules; the reason is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// How much of `available` belongs to what is `left`, and what is left then.
pub(super) fn take(left: u64, available: usize) -> (usize, u64) {
    let taken = usize::try_from(left).map_or(available, |left| left.min(available));
    (taken, left - taken as u64)
}

/// The name of a field, and its value without the white space around it.
pub(super) fn split_field(line: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let colon = memchr(b':', line).ok_or(Malformed("a header without a colon"))?;
    let (name, value) = line.split_at(colon);
    if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
        return Err(Malformed("a header with white space in or around its name"));
    }
    if value.iter().any(|byte| matches!(byte, b'\r' | 0)) {
        return Err(Malformed("a header with a bare CR or NUL"));
    }
    Ok((name, value[1..].trim_ascii()))
}

/// The number of a `Content-Length`.
pub(super) fn decimal(digits: &[u8]) -> Result<u64, Malformed> {
    let text = str::from_utf8(digits).unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed("a Content-Length that is no number"));
    }
    // hyper keeps the largest two for itself; nobody has as much to send.
    match text.parse::<i64>() {
        Ok(length) => Ok(length.unsigned_abs()),
        Err(_) => Err(Malformed("a Content-Length beyond 63 bits")),
    }
}
