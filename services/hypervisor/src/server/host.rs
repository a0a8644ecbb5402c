//! The request target and Host, which hyper does not check.

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

/// Whether it is `uri-host [ ":" port ]`, without user information.
pub(crate) fn is_host(value: &[u8]) -> bool {
    let text = str::from_utf8(value).unwrap_or_default();
    let (good, port) = if let Some(rest) = text.strip_prefix('[') {
        let (inner, rest) = rest.split_once(']').unwrap_or_default();
        let closed = rest.is_empty() || rest.starts_with(':');
        let good = closed && inner.parse::<std::net::Ipv6Addr>().is_ok();
        (good, rest.strip_prefix(':').unwrap_or_default())
    } else {
        let (name, port) = text.split_once(':').unwrap_or((text, ""));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (!name.is_empty() && name.bytes().all(allowed), port)
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    good && (port.is_empty() || digits && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for good in [
            "localhost",
            "a.example:8080",
            "127.0.0.1",
            "[::1]",
            "[::1]:80",
            "a:",
        ] {
            assert!(parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "", " ", "a b", "a/b", "u@a", "a:b", "a:99999", "[::1", "[zz]", "a,b", "a\\b", "a%zz",
            ":80", "[::1]x",
        ] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
