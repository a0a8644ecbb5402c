//! A page of a few sentences: one file, no script, and nothing in it that was not escaped.

use crate::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Response, StatusCode, header};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

const HTML: &str = "text/html; charset=utf-8";

const STYLE: &str = include_str!("notice.css");

/// Nothing but our own style, which is known by its hash.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// A page that says why something is not to be had here, and where to go on.
pub(crate) struct Notice<'a> {
    pub(crate) status: StatusCode,
    pub(crate) title: &'a str,
    pub(crate) sentence: &'a str,
    /// Where each leads, and what it is called.
    pub(crate) links: &'a [(&'a str, &'a str)],
}

impl Notice<'_> {
    pub(crate) fn response(&self) -> Response<Body> {
        let link = |(href, text): &(&str, &str)| {
            format!("<a href=\"{}\">{}</a>", escape(href), escape(text))
        };
        let links: String = self.links.iter().map(link).collect();
        let body = format!("<p>{}</p>\n<p>{links}</p>\n", escape(self.sentence));
        page(self.status, self.title, self.title, &body)
    }
}

/// The response with a page, whose `body` is HTML.
pub(crate) fn page(status: StatusCode, heading: &str, title: &str, body: &str) -> Response<Body> {
    let page = document(status, heading, title, body);
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
        (header::CONTENT_TYPE, HeaderValue::from_static(HTML)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ] {
        headers.insert(name, value);
    }
    response
}

fn document(status: StatusCode, heading: &str, title: &str, body: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{STYLE}</style>
<main>
<h1>{heading}</h1>
{body}<p><small>{status}</small></p>
</main>
</html>
"#,
        status = status.as_u16(),
    )
}

/// Text as HTML shows it. Other control characters than line ends and tabs, such as a terminal's
/// colours, are left out.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(char));
            }
            '\n' | '\t' => escaped.push(char),
            char if char.is_control() => {}
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_knows_the_style() {
        let policy = &*POLICY;
        assert!(policy.to_str().unwrap().contains("style-src 'sha256-"));
    }
}
