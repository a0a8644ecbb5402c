//! Headers that end at this hop (RFC 9110, section 7.6.1), in either direction.

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};

/// Whether it is meant for one hop whatever `Connection` says.
///
/// `Trailer` is not: trailers are carried through, and hyper asks it for their names.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Removes what is meant for this hop, the known names and those that `Connection` names; and
/// what is `unwanted` besides.
pub(super) fn strip(headers: &mut HeaderMap, unwanted: impl Fn(&HeaderName) -> bool) {
    if headers.contains_key(TRANSFER_ENCODING) {
        // It overrides a length, which would otherwise come into force with its removal
        // (RFC 9112, section 6.3).
        headers.remove(CONTENT_LENGTH);
    }
    let named = tokens(headers, &CONNECTION)
        // What it says most often names no header, or one that is known.
        .filter(|token| !matches!(*token, b"keep-alive" | b"close" | b"Upgrade"))
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        // A sender has no say over target and framing.
        .filter(|name| *name != HOST && *name != CONTENT_LENGTH);
    let known = headers.keys();
    let known = known.filter(|name| is_hop_by_hop(name) || unwanted(name));
    let all: Vec<HeaderName> = named.chain(known.cloned()).collect();
    for name in all {
        headers.remove(name);
    }
}

/// Whether a header that is a list has this member.
pub(super) fn lists(headers: &HeaderMap, name: &HeaderName, member: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(member.as_bytes()))
}

/// The members of a header that is a list, over all its lines.
pub(super) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .flat_map(members)
}

/// The members of one line of such a header.
pub(super) fn members(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}
