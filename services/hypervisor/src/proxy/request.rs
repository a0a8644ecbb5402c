//! The head of a request, rewritten in place for the sandbox.

use super::{Caller, RoutedClaim, cookies, forwarded, hop, trace, validators};
use http::Version;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, TE, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{Authority, Uri};
use hyper::upgrade::OnUpgrade;

/// Removes what is not for the sandbox, and frames the request as HTTP/1.1.
///
/// `streams` says whether there is a body.
pub(super) fn rewrite(head: &mut Parts, streams: bool, caller: &Caller<'_>) {
    let headers = &mut head.headers;
    let trailers = hop::lists(headers, &TE, "trailers");
    hop::strip(headers, |name| {
        forwarded::is_spoofable(name, caller.peer.trusted)
    });
    cookies::hide(headers, head.version == Version::HTTP_2);
    // HTTP/2 and absolute targets name the host in the target, which then counts alone
    // (RFC 9112, section 3.2.2).
    if let Some(host) = head.uri.authority().and_then(host) {
        headers.insert(HOST, host);
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    if streams && !headers.contains_key(CONTENT_LENGTH) {
        // Said outright, for hyper takes it that a GET without a length has no body.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    forwarded::add_origin(headers, caller.peer);
    trace::join(headers, caller.context);
    head.version = Version::HTTP_11;
    // The rest is how the names were written, which hyper keeps for those that are still there.
    head.extensions.remove::<OnUpgrade>();
}

/// Addresses the request to the claimed sandbox, and says who calls.
pub(super) fn address(head: &mut Parts, caller: &Caller<'_>, claim: &impl RoutedClaim) {
    forwarded::add_identity(&mut head.headers, caller, claim);
    validators::unmark(&mut head.headers, claim.validator_mark());
    let path = head.uri.path_and_query().cloned();
    head.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
}

/// The authority without what may stand before `@`.
fn host(authority: &Authority) -> Option<HeaderValue> {
    let host = authority.as_str().rsplit('@').next()?;
    HeaderValue::from_str(host).ok()
}
