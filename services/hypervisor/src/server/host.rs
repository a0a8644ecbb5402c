//! The request target and Host, which hyper does not check.

use crate::http1::{Refusal, is_host};
use http::header::{CONTENT_LENGTH, HOST, HeaderName};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};

/// Whether the request names one well-formed host.
///
/// # Errors
/// Which rule of RFC 9112, 3.2, or RFC 9113, 8.3.1, is broken.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    let (uri, headers) = (request.uri(), request.headers());
    let is_http2 = request.version() == Version::HTTP_2;
    if request.method() == Method::CONNECT {
        return Err(Refusal::CONNECT);
    }
    if uri.path() == "*" && request.method() != Method::OPTIONS {
        return Err(Refusal::malformed(
            "the target * is for OPTIONS alone; send a path",
        ));
    }
    if is_http2 {
        // HTTP/1 was checked as it came in.
        target(uri)?;
        if has_two(headers, &CONTENT_LENGTH) {
            return Err(Refusal::malformed(
                "the request has two Content-Length; send one",
            ));
        }
        // h2 takes an empty one for 0.
        if headers
            .get(CONTENT_LENGTH)
            .is_some_and(HeaderValue::is_empty)
        {
            return Err(Refusal::malformed(
                "the Content-Length is empty; send a number, or none",
            ));
        }
    }
    if uri.scheme().is_none() && uri.authority().is_some() {
        return Err(Refusal::malformed("the request target must be a path"));
    }
    let authority = uri.authority().map(Authority::as_str);
    if authority.is_some_and(|authority| !is_host(authority.as_bytes())) {
        return Err(Refusal::malformed(
            "what the request target names is not a host; send a name or an address, with a port from 1 to 65535 or none",
        ));
    }
    if has_two(headers, &HOST) {
        return Err(Refusal::malformed(
            "a request has one Host header; send one",
        ));
    }
    let Some(host) = headers.get(HOST) else {
        // HTTP/2 has :authority in its place, and HTTP/1.0 had none.
        return match request.version() {
            Version::HTTP_11 => Err(Refusal::malformed("HTTP/1.1 needs a Host header; send one")),
            Version::HTTP_2 if authority.is_none() => {
                Err(Refusal::malformed("HTTP/2 needs an :authority; send one"))
            }
            _ => Ok(()),
        };
    };
    if !is_host(host.as_bytes()) {
        return Err(Refusal::malformed(
            "the Host header is not a host; send a name or an address, with a port from 1 to 65535 or none",
        ));
    }
    match authority {
        Some(target) if !target.as_bytes().eq_ignore_ascii_case(host.as_bytes()) => {
            Err(Refusal::malformed(
                "the request target and the Host header name different hosts; send the same in both",
            ))
        }
        _ => Ok(()),
    }
}

/// The `http` crate takes any bytes above ASCII for a target, and drops a fragment.
fn target(uri: &Uri) -> Result<(), Refusal> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    if target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Refusal::malformed(
        "the request target has bytes beyond visible ASCII; percent-encode them",
    ))
}

fn has_two(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status with which it is refused, or 200.
    fn status(version: Version, uri: &[u8], headers: &[(HeaderName, &'static str)]) -> u16 {
        let mut request = Request::new(());
        *request.version_mut() = version;
        *request.uri_mut() = Uri::try_from(uri).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        check(&request).map_or_else(|refusal| refusal.status.as_u16(), |()| 200)
    }

    #[test]
    fn http2_names_one_host_as_strictly_as_http1() {
        for (uri, expected) in [
            (&b"https://h/"[..], 200),
            (b"https://h:8443/a?b", 200),
            (b"https://[::1]:8443/", 200),
            (b"/", 400),
            (b"https://a,b/", 400),
            (b"https://h:99999/", 400),
            (b"https://*/", 400),
            (b"https://user@h/", 400),
            (b"https://h/\xc3\xa9", 400),
        ] {
            let text = String::from_utf8_lossy(uri);
            assert_eq!(status(Version::HTTP_2, uri, &[]), expected, "{text}");
        }
        let uri = b"https://h/";
        for (headers, expected) in [
            (&[(HOST, "h")][..], 200),
            (&[(HOST, "H")], 200),
            (&[(HOST, "other")], 400),
            (&[(HOST, "h"), (HOST, "h")], 400),
            (&[(CONTENT_LENGTH, "1"), (CONTENT_LENGTH, "1")], 400),
            (&[(CONTENT_LENGTH, "")], 400),
            (&[(CONTENT_LENGTH, "1")], 200),
        ] {
            let given = status(Version::HTTP_2, uri, headers);
            assert_eq!(given, expected, "{headers:?}");
        }
    }

    #[test]
    fn http1_names_one_host() {
        let (v10, v11) = (Version::HTTP_10, Version::HTTP_11);
        assert_eq!(status(v11, b"/", &[(HOST, "h")]), 200);
        assert_eq!(status(v11, b"/", &[]), 400);
        assert_eq!(status(v10, b"/", &[]), 200);
        assert_eq!(status(v11, b"/", &[(HOST, "h"), (HOST, "h")]), 400);
        assert_eq!(status(v11, b"http://h/", &[(HOST, "h")]), 200);
        assert_eq!(status(v11, b"http://g/", &[(HOST, "h")]), 400);
        assert_eq!(status(v11, b"http://u@h/", &[(HOST, "h")]), 400);
        assert_eq!(status(v11, b"h", &[(HOST, "h")]), 400);
        assert_eq!(status(v11, b"*", &[(HOST, "h")]), 400);
    }
}
