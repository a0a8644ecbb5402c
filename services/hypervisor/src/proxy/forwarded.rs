//! What a sandbox is told about the caller, and what it must not believe.

use super::{Caller, RoutedClaim};
use crate::peer::Peer;
use http::header::{Entry, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue};

static FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static USER_ID: HeaderName = HeaderName::from_static("x-choiros-user-id");
static WORKSPACE: HeaderName = HeaderName::from_static("x-choiros-workspace");
static ROLE: HeaderName = HeaderName::from_static("x-choiros-role");
static GENERATION: HeaderName = HeaderName::from_static("x-choiros-generation");

/// Removes what the client has no business to say: `X-ChoirOS-*` always, for a trusted proxy
/// passes them on unseen; where it comes from unless a trusted proxy says so.
pub(super) fn distrust(headers: &mut HeaderMap, peer: &Peer) {
    let lies = headers
        .keys()
        .filter(|name| is_spoofable(name.as_str(), peer.trusted));
    let lies: Vec<HeaderName> = lies.cloned().collect();
    for name in lies {
        headers.remove(name);
    }
}

/// Whether a client has no business to send a field of this name.
pub(super) fn is_spoofable(name: &str, trusted: bool) -> bool {
    has_prefix(name, "x-choiros-")
        || !trusted && (has_prefix(name, "x-forwarded-") || FORWARDED == *name)
}

/// Many web frameworks read `_` for `-` in a header's name, so both are meant.
fn has_prefix(name: &str, prefix: &str) -> bool {
    let same = |(given, wanted): (u8, u8)| {
        given.eq_ignore_ascii_case(&wanted) || given == b'_' && wanted == b'-'
    };
    name.len() >= prefix.len() && name.bytes().zip(prefix.bytes()).all(same)
}

/// Says where the request comes from.
pub(super) fn add_origin(headers: &mut HeaderMap, peer: &Peer) {
    let mut path: Vec<Vec<u8>> = Vec::new();
    if let Entry::Occupied(entry) = headers.entry(&FOR) {
        let lines = entry.remove_entry_mult().1;
        path.extend(lines.map(|line| line.as_bytes().to_vec()));
    }
    path.extend(peer.source.address().map(|it| it.to_string().into_bytes()));
    if !path.is_empty()
        && let Ok(path) = HeaderValue::try_from(path.join(b", ".as_slice()))
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

/// Says who calls, and in which workspace, role and generation.
pub(super) fn add_identity(headers: &mut HeaderMap, caller: &Caller, claim: &impl RoutedClaim) {
    let id = caller.user_id.as_hyphenated().to_string();
    // Names that are no header values cannot be; and a sandbox takes a lack for «nobody».
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(&USER_ID, id);
    }
    if let Ok(workspace) = HeaderValue::from_str(claim.workspace()) {
        headers.insert(&WORKSPACE, workspace);
    }
    headers.insert(&ROLE, HeaderValue::from_static(claim.role().as_str()));
    headers.insert(&GENERATION, HeaderValue::from(claim.generation()));
}
