//! Whether a response is for a person at a browser's address bar or for a program.

use http::header::{ACCEPT, HeaderMap, HeaderName, UPGRADE};
use http::{HeaderValue, Method};

static SEC_FETCH: [HeaderName; 4] = [
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-user"),
];
static X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Whether this is a page that a person goes to, and may be sent elsewhere: browsers say so, and
/// those of before ask for HTML by name. A program such as git would take a form to log in for
/// what it asked for.
pub fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let is_browser = headers.contains_key(&SEC_FETCH[1]) || accepts_html(headers);
    *method == Method::GET && is_browser && wants_page(headers)
}

/// Whether this is a navigation of a whole window, and not of a frame in somebody's page.
pub fn is_top_level(method: &Method, headers: &HeaderMap) -> bool {
    let is_document = headers
        .get(&SEC_FETCH[2])
        .is_none_or(|dest| dest == "document");
    is_document && is_navigation(method, headers)
}

/// Whether a page of another origin has the browser ask: another sandbox's, which is of the same
/// site, or any other. It may send people here, but gets nothing itself.
pub fn is_from_other_origin(method: &Method, headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(&SEC_FETCH[0]).into_iter();
    sites.any(|site| site != "same-origin" && site != "none") && !is_top_level(method, headers)
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes);
    let html: &[u8] = b"text/html";
    lines.any(|line| {
        line.windows(html.len())
            .any(|part| part.eq_ignore_ascii_case(html))
    })
}

/// Whether an error is better shown as a page than as JSON.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    if let Some(mode) = headers.get(&SEC_FETCH[1]) {
        return mode == "navigate";
    }
    !has_sec_fetch(headers)
        && !headers.contains_key(&X_REQUESTED_WITH)
        && !headers.contains_key(UPGRADE)
        && !prefers_json(headers)
}

/// Whether a browser of today sent this: they all say where a request comes from.
pub(super) fn has_sec_fetch(headers: &HeaderMap) -> bool {
    SEC_FETCH.iter().any(|name| headers.contains_key(name))
}

/// JSON is asked for by name, and HTML is not, or less.
fn prefers_json(headers: &HeaderMap) -> bool {
    let (mut json, mut html) = (0, 0);
    let lines = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes);
    for range in lines.flat_map(|line| line.split(|byte| *byte == b',')) {
        let Ok(range) = str::from_utf8(range) else {
            continue;
        };
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(quality).unwrap_or(1000);
        if kind == "application/json" || kind.ends_with("+json") {
            json = json.max(quality);
        } else if kind == "text/html" || kind == "application/xhtml+xml" {
            html = html.max(quality);
        }
    }
    json > html
}

/// The thousandths of `q=0.5`.
fn quality(parameter: &str) -> Option<u32> {
    let value = parameter
        .strip_prefix("q=")
        .or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u32>().ok()?.min(1) * 1000 + digits.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn navigates(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_static(value);
            (HeaderName::from_static(name), value)
        });
        is_navigation(method, &headers.collect())
    }

    #[test]
    fn navigations_are_told_from_calls() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (headers, navigation) in [
            (&[][..], false),
            (&[("accept", browser)], true),
            (&[("accept", "*/*")], false),
            (&[("sec-fetch-mode", "navigate"), ("accept", "*/*")], true),
            (&[("accept", "text/html, application/json;q=0.9")], true),
            (&[("accept", "application/json, text/html")], true),
            (&[("accept", "application/json")], false),
            (&[("accept", "application/json, text/plain, */*")], false),
            (&[("accept", "text/html;q=0.5, application/json")], false),
            (&[("accept", "application/problem+json;q=0.2, */*")], false),
            (&[("accept", "application/json;q=0, text/html")], true),
            (&[("accept", "application/json;q=0, text/plain")], false),
            (&[("sec-fetch-mode", "cors"), ("accept", browser)], false),
            (&[("sec-fetch-mode", "websocket")], false),
            (&[("sec-fetch-site", "none"), ("accept", browser)], false),
            (&[("x-requested-with", "XMLHttpRequest")], false),
            (&[("upgrade", "websocket")], false),
        ] {
            assert_eq!(navigates(&Method::GET, headers), navigation, "{headers:?}");
            assert!(!navigates(&Method::POST, headers), "{headers:?}");
        }
    }
}
