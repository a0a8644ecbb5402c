//! The head of a request, rewritten in place for the sandbox.

use super::failure::Reason;
use super::{Caller, RoutedClaim, cookies, forwarded, hop, trace};
use crate::server::Peer;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, TE, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Version, uri};

/// Removes what is not for the sandbox, and frames the request as HTTP/1.1.
///
/// `streams` says whether there is a body.
pub(super) fn rewrite(head: &mut Parts, streams: bool, own_cookies: &[Box<str>], peer: &Peer) {
    let headers = &mut head.headers;
    let trailers = hop::lists(headers, &TE, "trailers");
    hop::strip(headers);
    forwarded::distrust(headers, peer);
    cookies::hide(headers, own_cookies, head.version == Version::HTTP_2);
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
    forwarded::add_origin(headers, peer);
    trace::join(headers);
    head.version = Version::HTTP_11;
    head.extensions.clear();
}

/// Addresses the request to the claimed sandbox, and says who calls.
///
/// # Errors
/// [`Reason::BadGateway`] for an address that no URL can hold.
pub(super) fn address(
    head: &mut Parts,
    caller: &Caller,
    claim: &impl RoutedClaim,
) -> Result<(), Reason> {
    forwarded::add_identity(&mut head.headers, caller, claim);
    let mut target = uri::Parts::default();
    target.scheme = Some(Scheme::HTTP);
    target.authority = Authority::try_from(claim.address().to_string()).ok();
    let path = head.uri.path_and_query().cloned();
    target.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    head.uri = Uri::from_parts(target).map_err(|error| {
        let address = claim.address();
        Reason::BadGateway(format!("its address {address} cannot be reached: {error}"))
    })?;
    Ok(())
}

/// The authority without what may stand before `@`.
fn host(authority: &Authority) -> Option<HeaderValue> {
    let host = authority.as_str().rsplit('@').next()?;
    HeaderValue::from_str(host).ok()
}
