//! Turns away requests that another site makes in our user's name.

use super::AuthError;
use crate::error::HttpError;
use http::{HeaderMap, Method, header};
use url::Url;

/// Refuses a request that changes state and comes from another origin: `Sec-Fetch-Site` is
/// neither `same-origin` nor `none`, or `Origin` is not ours. A request with neither header is
/// no browser's, and passes.
///
/// # Errors
/// 403 `cross_origin`.
pub fn check_origin(method: &Method, headers: &HeaderMap, origin: &Url) -> Result<(), HttpError> {
    if method.is_safe() {
        return Ok(());
    }
    let ours = origin.origin().ascii_serialization();
    let from_us = headers
        .get_all("sec-fetch-site")
        .into_iter()
        .all(|site| site == "same-origin" || site == "none")
        && headers
            .get_all(header::ORIGIN)
            .into_iter()
            .all(|origin| origin.as_bytes() == ours.as_bytes());
    if from_us {
        Ok(())
    } else {
        Err(AuthError::CrossOrigin.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    type Headers = &'static [(&'static str, &'static str)];

    #[test]
    fn only_our_own_pages_and_what_is_no_browser_may_change_state() {
        let ours = Url::parse("https://choir.example").unwrap();
        let cases: [(&str, Headers, bool); 15] = [
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
            let result = check_origin(&method, &map, &ours);
            assert_eq!(result.is_ok(), passes, "{method} {headers:?}");
        }
    }
}
