//! What a sandbox is told about the caller, and what it must not believe.

use super::{Caller, RoutedClaim};
use crate::peer::Peer;
use http::header::{
    Entry, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue,
};
use std::fmt::Write as _;

static FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static USER_ID: HeaderName = HeaderName::from_static("x-choiros-user-id");
static USER_NAME: HeaderName = HeaderName::from_static("x-choiros-user-name");
static WORKSPACE: HeaderName = HeaderName::from_static("x-choiros-workspace");
static ROLE: HeaderName = HeaderName::from_static("x-choiros-role");
static GENERATION: HeaderName = HeaderName::from_static("x-choiros-generation");

/// Whether a client has no business to send a field of this name: `X-ChoirOS-*` and
/// `X-Forwarded-Prefix` never, for a trusted proxy passes them on unseen; where it comes from, unless a trusted proxy says so.
///
/// A proxy mends the names that it knows, and passes on all that only mean the same to whoever
/// is behind us.
pub(super) fn is_spoofable(name: &HeaderName, trusted: bool) -> bool {
    let name = name.as_str();
    match name.as_bytes()[0] {
        b'x' => {
            has_prefix(name, "x-choiros-")
                || has_prefix(name, "x-forwarded-prefix")
                || has_prefix(name, "x-forwarded-") && !(trusted && is_plain(name))
        }
        b'f' => !trusted && FORWARDED == *name,
        _ => false,
    }
}

/// Whether the name begins so to a server that makes a variable of it: there every byte that is
/// no letter or digit becomes one and the same.
fn has_prefix(name: &str, prefix: &str) -> bool {
    let same = |(given, wanted): (u8, u8)| {
        given == wanted || wanted == b'-' && !given.is_ascii_alphanumeric()
    };
    name.len() >= prefix.len() && name.bytes().zip(prefix.bytes()).all(same)
}

/// Whether it is spelt in the only way that proxies know.
fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_alphanumeric())
}

/// Says where the request comes from.
pub(super) fn add_origin(headers: &mut HeaderMap, peer: &Peer) {
    let mut path = Vec::new();
    if let Entry::Occupied(entry) = headers.entry(&FOR) {
        for line in entry.remove_entry_mult().1 {
            extend(&mut path, line.as_bytes());
        }
    }
    if let Some(address) = peer.source.address() {
        extend(&mut path, address.to_string().as_bytes());
    }
    if !path.is_empty()
        && let Ok(path) = HeaderValue::try_from(path)
    {
        headers.insert(&FOR, path);
    }
    if !headers.contains_key(&PROTO) {
        headers.insert(&PROTO, HeaderValue::from_static(peer.scheme));
    }
    if !headers.contains_key(&FORWARDED_HOST)
        && let Some(host) = headers.get(HOST).cloned()
    {
        headers.insert(&FORWARDED_HOST, host);
    }
}

/// Adds to a list.
fn extend(list: &mut Vec<u8>, member: &[u8]) {
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(member);
}

/// Says who calls, and in which workspace, role and generation.
pub(super) fn add_identity(headers: &mut HeaderMap, caller: &Caller<'_>, claim: &impl RoutedClaim) {
    // Names that are no header values cannot be; and a sandbox takes a lack for «nobody».
    if let Some((id, name)) = caller.user {
        let mut buffer = uuid::Uuid::encode_buffer();
        let id = id.as_hyphenated().encode_lower(&mut buffer);
        if let (Ok(id), Ok(name)) = (HeaderValue::from_str(id), user_name(name)) {
            headers.insert(&USER_ID, id);
            headers.insert(&USER_NAME, name);
        }
    }
    if let Ok(workspace) = HeaderValue::from_str(claim.workspace()) {
        headers.insert(&WORKSPACE, workspace);
    }
    headers.insert(&ROLE, HeaderValue::from_static(claim.role().as_str()));
    headers.insert(&GENERATION, HeaderValue::from(claim.generation()));
}

/// A user name as it can stand in a header: what is not visible ASCII, and the percent sign, is
/// percent-encoded UTF-8.
fn user_name(name: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%';
    if name.bytes().all(is_plain) {
        return HeaderValue::from_str(name);
    }
    let mut encoded = String::with_capacity(3 * name.len());
    for byte in name.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    HeaderValue::try_from(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_told_in_a_header() {
        for (name, told) in [
            ("ada@example.org", "ada@example.org"),
            ("o'brien@example.org", "o'brien@example.org"),
            ("zo\u{eb}@example.org", "zo%C3%AB@example.org"),
            ("100%", "100%25"),
            ("a b\r\nX: y", "a%20b%0D%0AX:%20y"),
        ] {
            assert_eq!(user_name(name).unwrap(), told);
        }
    }

    #[test]
    fn every_spelling_that_a_server_takes_for_ours_is_one() {
        let spoofable = |name: &str, trusted| is_spoofable(&name.parse().unwrap(), trusted);
        for name in [
            "X-ChoirOS-User-Id",
            "x_choiros_user_id",
            "X.ChoirOS.User.Id",
            "X_ChoirOS!User~Id",
            "x|choiros'role",
        ] {
            assert!(spoofable(name, false) && spoofable(name, true), "{name}");
        }
        for name in [
            "X_Forwarded_For",
            "X-Forwarded.For",
            "x+forwarded-host",
            "X-Forwarded-Prefix",
        ] {
            assert!(spoofable(name, false) && spoofable(name, true), "{name}");
        }
        for name in ["X-Forwarded-For", "x-forwarded-user", "Forwarded"] {
            assert!(spoofable(name, false) && !spoofable(name, true), "{name}");
        }
        for name in [
            "X-Choir",
            "X-ChoirOS",
            "XX-ChoirOS-Role",
            "XaChoirOS-Role",
            "X-Forwarded",
            "Forwarded-For",
            "F",
            "X",
        ] {
            assert!(!spoofable(name, false), "{name}");
        }
    }
}
