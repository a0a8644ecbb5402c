//! Keeps our cookies between the browser and us: a sandbox neither sees nor sets them.

use crate::cookie_names::is_ours;
use http::header::{COOKIE, Entry, HeaderMap, HeaderValue, SET_COOKIE};

/// Removes our cookies from `Cookie`; the rest of each header stays byte for byte.
///
/// HTTP/2 splits cookies over several headers, which HTTP/1.1 has `joined` into one
/// (RFC 9113, section 8.2.3).
pub(super) fn hide(headers: &mut HeaderMap, joined: bool) {
    let Entry::Occupied(entry) = headers.entry(COOKIE) else {
        return;
    };
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for value in entry.remove_entry_mult().1 {
        let mut left = Vec::with_capacity(value.len());
        if without(value.as_bytes(), &mut left) {
            kept.push(left);
        }
    }
    if joined && kept.len() > 1 {
        kept = vec![kept.join(b"; ".as_slice())];
    }
    for value in kept {
        if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
            headers.append(COOKIE, value);
        }
    }
}

/// Writes one header's value without our cookies; says whether anything is left of it.
fn without(value: &[u8], kept: &mut Vec<u8>) -> bool {
    let before = kept.len();
    let mut first = true;
    for (place, pair) in value.split(|byte| *byte == b';').enumerate() {
        if is_own(pair) {
            continue;
        }
        match (first, place) {
            (true, 0) => kept.extend_from_slice(pair),
            // What stood before it is gone, and with it the need for a space.
            (true, _) => kept.extend_from_slice(pair.trim_ascii_start()),
            (false, _) => {
                kept.push(b';');
                kept.extend_from_slice(pair);
            }
        }
        first = false;
    }
    kept.len() > before
}

/// Whether this value of `Set-Cookie` would plant one of our cookies.
fn sets_own_cookie(value: &[u8]) -> bool {
    let pair = value.split(|byte| *byte == b';').next();
    pair.is_some_and(|pair| is_own(skip_equals(pair)))
}

/// Removes each `Set-Cookie` that would plant one of our cookies.
pub(super) fn guard(headers: &mut HeaderMap) {
    let sets_own_cookie = |value: &HeaderValue| sets_own_cookie(value.as_bytes());
    if !headers.get_all(SET_COOKIE).iter().any(sets_own_cookie) {
        return;
    }
    if let Entry::Occupied(entry) = headers.entry(SET_COOKIE) {
        let kept: Vec<_> = entry
            .remove_entry_mult()
            .1
            .filter(|value| !sets_own_cookie(value))
            .collect();
        for value in kept {
            headers.append(SET_COOKIE, value);
        }
    }
}

/// Browsers send a cookie without a name back as its bare value, so `=choiros=x` would come
/// back as `choiros=x`.
fn skip_equals(pair: &[u8]) -> &[u8] {
    let pair = pair.trim_ascii_start();
    match pair {
        [b'=', rest @ ..] => skip_equals(rest),
        _ => pair,
    }
}

fn is_own(pair: &[u8]) -> bool {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
    name.len() < pair.len() && is_ours(name.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(lines: &[&'static str], joined: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        hide(&mut headers, joined);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        headers.get_all(COOKIE).iter().map(text).collect()
    }

    #[test]
    fn our_cookies_go_and_the_rest_stays_byte_for_byte() {
        for (given, left) in [
            ("a=1", "a=1"),
            ("choiros=t; a=1", "a=1"),
            ("a=1; choiros=t", "a=1"),
            ("a=1; choiros=t; b=2", "a=1; b=2"),
            ("a=1;choiros=t;b=2", "a=1;b=2"),
            (
                "a=1 ;  b=\"x y\";choiros-ceremony=t ; c",
                "a=1 ;  b=\"x y\"; c",
            ),
            (" a=1; choiros=t", " a=1"),
            ("choiros=t; choiros=u; a=1", "a=1"),
            (
                "xchoiros=1; choirosx=2; Choiros=3; choiros",
                "xchoiros=1; choirosx=2; Choiros=3; choiros",
            ),
            ("a=choiros=t", "a=choiros=t"),
        ] {
            assert_eq!(hidden(&[given], false), [left], "{given}");
        }
    }

    #[test]
    fn a_cookie_header_of_ours_alone_is_dropped() {
        assert!(hidden(&["choiros=t"], false).is_empty());
        assert_eq!(hidden(&["choiros=t", "a=1", "b=2"], false), ["a=1", "b=2"]);
    }

    #[test]
    fn the_cookie_headers_of_http2_become_one() {
        assert_eq!(hidden(&["a=1", "choiros=t", "b=2"], true), ["a=1; b=2"]);
    }

    #[test]
    fn a_sandbox_cannot_plant_a_cookie_of_ours() {
        let mut headers = HeaderMap::new();
        for line in [
            "a=choiros; Path=/",
            "choiros=evil; Path=/",
            " choiros =evil",
            "=choiros=evil",
            "choirosx=fine",
            "choiros-ceremony=",
        ] {
            headers.append(SET_COOKIE, HeaderValue::from_static(line));
        }
        guard(&mut headers);
        let left: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(left, ["a=choiros; Path=/", "choirosx=fine"]);
    }
}
