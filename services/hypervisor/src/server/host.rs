//! The request target and Host, which hyper does not check.

use crate::http1::is_host;
use http::uri::Authority;
use http::{Method, Request, Version, header};

/// Whether the request names one well-formed host.
///
/// # Errors
/// A sentence that says which rule of RFC 9112, 3.2 is broken.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), &'static str> {
    let uri = request.uri();
    if request.method() == Method::CONNECT {
        return Err("CONNECT is for forward proxies; this is none");
    }
    if uri.path() == "*" && request.method() != Method::OPTIONS {
        return Err("the target * is for OPTIONS alone");
    }
    if uri.scheme().is_none() && uri.authority().is_some() {
        return Err("the request target must be a path");
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err("a request has one Host header, not several");
    }
    let Some(host) = host else {
        // HTTP/2 has :authority in its place, and HTTP/1.0 had none.
        return match request.version() {
            Version::HTTP_11 => Err("HTTP/1.1 needs a Host header"),
            Version::HTTP_2 if uri.authority().is_none() => Err("HTTP/2 needs an :authority"),
            _ => Ok(()),
        };
    };
    let host = parse(host.as_bytes()).ok_or("the Host header is not a host")?;
    match uri.authority() {
        Some(target) if !target.as_str().eq_ignore_ascii_case(host.as_str()) => {
            Err("the request target and the Host header name different hosts")
        }
        _ => Ok(()),
    }
}

fn parse(value: &[u8]) -> Option<Authority> {
    is_host(value).then(|| Authority::try_from(value).ok())?
}
