//! Turns away requests that another site makes in our user's name.

use super::AuthError;
use crate::error::HttpError;
use http::{HeaderMap, HeaderValue, Method};

/// Refuses a request that changes state and comes from another origin: `Sec-Fetch-Site` is
/// neither `same-origin` nor `none`, or `Origin` is not ours. A request with neither header is
/// no browser's, and passes.
///
/// A form on a page that hides its address (`Referrer-Policy: no-referrer`) has the origin `null`,
/// as a sandboxed frame's has; `same-origin`, which no page can forge, tells them apart.
///
/// # Errors
/// 403 `cross_origin`.
pub fn check_origin(method: &Method, headers: &HeaderMap, ours: &[u8]) -> Result<(), HttpError> {
    let lines = |name| headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    let mut sites = lines("sec-fetch-site");
    let mut origins = lines("origin");
    let mut is_same_origin = false;
    let is_our_site = sites.all(|site| {
        is_same_origin |= site == b"same-origin";
        site == b"same-origin" || site == b"none"
    });
    let is_our_origin = origins.all(|origin| origin == ours || is_same_origin && origin == b"null");
    if method.is_safe() || is_our_site && is_our_origin {
        Ok(())
    } else {
        Err(AuthError::CrossOrigin.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    #[test]
    fn only_our_own_pages_and_what_is_no_browser_may_change_state() {
        let ours = b"https://choir.example";
        let cases: [(&str, Headers, bool); 18] = [
            ("POST", &[], true),
            ("POST", &[("sec-fetch-site", "same-origin")], true),
            ("POST", &[("sec-fetch-site", "none")], true),
            ("POST", &[("sec-fetch-site", "same-site")], false),
            ("POST", &[("sec-fetch-site", "cross-site")], false),
            ("DELETE", &[("sec-fetch-site", "")], false),
            ("POST", &[("origin", "https://choir.example")], true),
            ("PUT", &[("origin", "https://choir.example:444")], false),
            ("PATCH", &[("origin", "http://choir.example")], false),
            ("POST", &[("origin", "https://choir.example.evil")], false),
            ("POST", &[("origin", "null")], false),
            (
                "POST",
                &[("sec-fetch-site", "same-origin"), ("origin", "null")],
                true,
            ),
            (
                "POST",
                &[("sec-fetch-site", "none"), ("origin", "null")],
                false,
            ),
            (
                "POST",
                &[("sec-fetch-site", "cross-site"), ("origin", "null")],
                false,
            ),
            ("BREW", &[("origin", "https://evil.example")], false),
            (
                "POST",
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://evil.example"),
                ],
                false,
            ),
            (
                "POST",
                &[
                    ("origin", "https://choir.example"),
                    ("origin", "https://evil.example"),
                ],
                false,
            ),
            ("GET", &[("sec-fetch-site", "cross-site")], true),
        ];
        for (method, headers, passes) in cases {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            let method = Method::try_from(method).unwrap();
            let result = check_origin(&method, &map, ours);
            assert_eq!(result.is_ok(), passes, "{method} {headers:?}");
        }
    }
}
