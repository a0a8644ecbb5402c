//! What is answered to what is no request, or none that we take.

use crate::Body;
use crate::error::HttpError;
use crate::http1::Refusal;
use crate::notice;
use crate::proxy;
use axum::response::IntoResponse;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};

/// How many fields of a refused head are looked at.
const MOST_FIELDS: usize = 100;

/// The response to a refused request: JSON, or for a person's browser with too large a head a page.
///
/// Any host of a site may set cookies for all of it, and so may a sandbox, until no page of the
/// gateway can be asked for. The person could not even log out; so the browser is told to clear
/// them, ours among them.
pub(super) fn response(refusal: Refusal, for_page: bool) -> Response<Body> {
    if !for_page || refusal != Refusal::HEAD_TOO_LARGE {
        return refusal.into_response();
    }
    let mut response = notice::page(refusal.status, TITLE, TITLE, TOO_MANY_COOKIES);
    let clear = HeaderName::from_static("clear-site-data");
    let cookies = HeaderValue::from_static("\"cookies\"");
    response.headers_mut().insert(clear, cookies);
    response
}

const TITLE: &str = "Too many cookies";

const TOO_MANY_COOKIES: &str = r#"<p>Pages of this site have set more cookies than the server takes with a request, so your browser has been asked to clear this site's cookies. You have to log in again.</p>
<p>If this page stays, clear the cookies of this site and of all sites below and above it in your browser's settings.</p>
<p><a href="">Try again</a></p>"#;

/// Whether what came of a head, which may be cut anywhere, is of a page that a person goes to.
pub(super) fn is_navigation(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let request_line = lines.next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    for line in lines.take(MOST_FIELDS) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // Cookies are what there is too much of, and say nothing here.
        if !name.eq_ignore_ascii_case(b"cookie")
            && let Ok(name) = HeaderName::from_bytes(name)
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            headers.append(name, value);
        }
    }
    request_line.starts_with(b"GET ") && proxy::is_navigation(&Method::GET, &headers)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        HttpError::new(self.status, self.code, self.message).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header;

    #[test]
    fn a_person_s_browser_is_told_from_programs_by_what_came_before_the_cookies() {
        let cookies = format!("Cookie: a={}", "x".repeat(5000));
        for (head, page) in [
            ("GET / HTTP/1.1\r\nAccept: text/html,*/*\r\n", true),
            (
                "GET / HTTP/1.1\r\nsec-fetch-mode: navigate\r\naccept: */*\r\n",
                true,
            ),
            (
                "GET / HTTP/1.1\r\nSec-Fetch-Mode: cors\r\nAccept: text/html\r\n",
                false,
            ),
            ("GET / HTTP/1.1\r\nAccept: */*\r\n", false),
            ("POST / HTTP/1.1\r\nAccept: text/html\r\n", false),
            ("GET / HTTP/1.1\r\n\u{ff}: text/html\r\n", false),
            ("", false),
        ] {
            let head = format!("{head}{cookies}");
            assert_eq!(is_navigation(head.as_bytes()), page, "{head}");
        }
    }

    #[test]
    fn only_a_page_clears_cookies_and_only_where_they_are_too_many() {
        for (refusal, for_page, clears) in [
            (Refusal::HEAD_TOO_LARGE, true, true),
            (Refusal::HEAD_TOO_LARGE, false, false),
            (Refusal::TOO_MANY_FIELDS, true, false),
            (Refusal::TARGET_TOO_LONG, true, false),
        ] {
            let response = response(refusal, for_page);
            assert_eq!(response.status(), refusal.status);
            let headers = response.headers();
            assert_eq!(headers.contains_key("clear-site-data"), clears);
            assert!(headers.contains_key(header::CONTENT_TYPE));
        }
    }
}
