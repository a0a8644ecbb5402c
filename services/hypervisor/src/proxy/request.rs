//! The head of a request, rewritten in place for the sandbox.

use super::{Caller, RoutedClaim, cookies, forwarded, hop, trace, validators};
use crate::peer::Peer;
use crate::request_context::RequestContext;
use http::Version;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Uri};
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

/// The same for the gateway of another machine, which is told what we were, and over HTTP/2 where it
/// asks for no upgrade.
pub fn rewrite_for_gateway(head: &mut Parts, peer: &Peer, context: &RequestContext) {
    let headers = &mut head.headers;
    let trailers = hop::lists(headers, &TE, "trailers");
    let upgrade = headers.get(UPGRADE).cloned();
    let upgrade = upgrade.filter(|_| hop::lists(headers, &CONNECTION, "upgrade"));
    hop::strip(headers, |name| forwarded::is_spoofable(name, peer.trusted));
    // Our own server says so to the client once the body is read.
    headers.remove(EXPECT);
    let authority = head.uri.authority().and_then(host);
    if let Some(host) = &authority {
        headers.insert(HOST, host.clone());
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    // What another gateway carried here says it already, and that one is no client.
    if !peer.is_gateway {
        forwarded::add_origin(headers, peer);
    }
    trace::join(headers, context);
    let path = head.uri.path_and_query().cloned();
    let path = path.unwrap_or(PathAndQuery::from_static("/"));
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
        head.uri = Uri::from(path);
        return;
    }
    // There the host is a part of the target.
    let host = headers.remove(HOST);
    let host = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let uri = Uri::builder().scheme("https").path_and_query(path);
    if let Some(host) = host
        && let Ok(uri) = uri.authority(host).build()
    {
        head.uri = uri;
    }
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
