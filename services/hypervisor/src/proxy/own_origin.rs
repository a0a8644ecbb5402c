//! What a sandbox with an origin of its own may say of it, and not beyond it.
//!
//! Of the fields that [`super::shared_origin`] lists, some speak for this origin alone, and pass:
//! `Service-Worker-Allowed`, `Origin-Agent-Cluster`, `Cross-Origin-Opener-Policy`, `Set-Login`.
//! `Clear-Site-Data` passes for what browsers keep by origin; cookies they keep for the whole
//! registrable domain, the gateway and the other sandboxes included. The rest is taken off as
//! before: it promises something for the host whichever sandbox will be there, leads around the
//! gateway, or reports requests for `/.choiros/` to the sandbox.
//!
//! A cookie whose `Domain` reaches further than the sandbox's own host loses that attribute, and is
//! kept by the browser for this host alone. A page's script can still set such a cookie; ours are
//! `__Host-` ones over https, which it cannot.

use super::shared_origin;
use http::header::{Entry, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};

static CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// What browsers clear for one origin.
const CLEARED_BY_ORIGIN: [&str; 5] = [
    "\"cache\"",
    "\"storage\"",
    "\"executionContexts\"",
    "\"prefetchCache\"",
    "\"prerenderCache\"",
];

/// What a sandbox does not send: one at its own host, or at the gateway's.
pub(super) fn beyond(has_own_host: bool) -> fn(&HeaderName) -> bool {
    if has_own_host {
        acts_beyond
    } else {
        shared_origin::acts_beyond
    }
}

/// Whether a sandbox with an origin of its own does not send it either.
pub(super) fn acts_beyond(name: &HeaderName) -> bool {
    let is_its_own = matches!(
        name.as_str(),
        "clear-site-data"
            | "cross-origin-opener-policy"
            | "cross-origin-opener-policy-report-only"
            | "origin-agent-cluster"
            | "service-worker-allowed"
            | "set-login"
    );
    !is_its_own && shared_origin::acts_beyond(name)
}

/// Takes out of a response what reaches beyond this `host`.
pub(super) fn narrow(headers: &mut HeaderMap, host: &str) {
    if headers.contains_key(&CLEAR_SITE_DATA) {
        narrow_clearing(headers);
    }
    if headers.contains_key(SET_COOKIE) {
        narrow_cookies(headers, host);
    }
}

fn narrow_clearing(headers: &mut HeaderMap) {
    let Entry::Occupied(entry) = headers.entry(&CLEAR_SITE_DATA) else {
        return;
    };
    let lines: Vec<HeaderValue> = entry.remove_entry_mult().1.collect();
    let lines = lines.iter().filter_map(|line| line.to_str().ok());
    let asked: Vec<&str> = lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    let kept: Vec<&str> = if asked.contains(&"\"*\"") {
        CLEARED_BY_ORIGIN.into()
    } else {
        let by_origin = |kind: &&str| CLEARED_BY_ORIGIN.contains(kind);
        asked.into_iter().filter(by_origin).collect()
    };
    if !kept.is_empty()
        && let Ok(value) = HeaderValue::try_from(kept.join(", "))
    {
        headers.insert(&CLEAR_SITE_DATA, value);
    }
}

fn narrow_cookies(headers: &mut HeaderMap, host: &str) {
    let reaches = |value: &HeaderValue| attributes(value).any(|it| reaches_beyond(it, host));
    if !headers.get_all(SET_COOKIE).iter().any(reaches) {
        return;
    }
    let Entry::Occupied(entry) = headers.entry(SET_COOKIE) else {
        return;
    };
    let cookies: Vec<HeaderValue> = entry.remove_entry_mult().1.collect();
    for cookie in cookies {
        let parts = cookie.as_bytes().split(|byte| *byte == b';');
        let kept: Vec<&[u8]> = parts
            .enumerate()
            .filter(|(place, part)| *place == 0 || !reaches_beyond(part, host))
            .map(|(_, part)| part)
            .collect();
        if let Ok(kept) = HeaderValue::from_bytes(&kept.join(b";".as_slice())) {
            headers.append(SET_COOKIE, kept);
        }
    }
}

/// The attributes of a cookie, which stand behind its name and value.
fn attributes(cookie: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    cookie.as_bytes().split(|byte| *byte == b';').skip(1)
}

/// Whether it is a `Domain` that other hosts are in, too.
fn reaches_beyond(attribute: &[u8], host: &str) -> bool {
    let mut parts = attribute.splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default().trim_ascii();
    let domain = parts.next().unwrap_or_default().trim_ascii();
    let domain = domain.strip_prefix(b".").unwrap_or(domain);
    name.eq_ignore_ascii_case(b"domain") && !domain.eq_ignore_ascii_case(host.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(name: &HeaderName, lines: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_static(line));
        }
        narrow(&mut headers, "ada.box.example");
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        headers.get_all(name).iter().map(text).collect()
    }

    #[test]
    fn a_cookie_stays_at_the_sandboxes_own_host() {
        for (given, left) in [
            ("a=1; Path=/; Secure", "a=1; Path=/; Secure"),
            ("a=1; Domain=box.example; Secure", "a=1; Secure"),
            ("a=1; domain=.box.example", "a=1"),
            ("a=1;DOMAIN = example ;HttpOnly", "a=1;HttpOnly"),
            ("a=1; Domain=bob.box.example", "a=1"),
            ("a=1; Domain=ada.box.example", "a=1; Domain=ada.box.example"),
            (
                "a=1; Domain=.Ada.Box.Example",
                "a=1; Domain=.Ada.Box.Example",
            ),
            (
                "a=1; Domain=ada.box.example; Domain=box.example",
                "a=1; Domain=ada.box.example",
            ),
            ("domain=box.example; Path=/", "domain=box.example; Path=/"),
            ("a=1; Domain", "a=1"),
        ] {
            assert_eq!(narrowed(&SET_COOKIE, &[given]), [left], "{given}");
        }
        let two = narrowed(&SET_COOKIE, &["a=1; Domain=example", "b=2"]);
        assert_eq!(two, ["a=1", "b=2"]);
    }

    #[test]
    fn a_sandbox_clears_what_is_kept_by_origin() {
        for (given, left) in [
            (
                &["\"cache\", \"storage\""][..],
                Some("\"cache\", \"storage\""),
            ),
            (&["\"cookies\""], None),
            (&["\"cookies\",\"storage\""], Some("\"storage\"")),
            (&["\"cookies\"", "\"cache\""], Some("\"cache\"")),
            (&["\"clientHints\""], None),
            (&["cache"], None),
        ] {
            let left: Vec<_> = left.into_iter().collect();
            assert_eq!(narrowed(&CLEAR_SITE_DATA, given), left, "{given:?}");
        }
        let all = narrowed(&CLEAR_SITE_DATA, &["\"*\""]).concat();
        assert!(all.contains("\"storage\"") && !all.contains('*') && !all.contains("cookies"));
    }

    #[test]
    fn a_sandbox_speaks_for_its_own_origin_alone() {
        let beyond = |name: &str| acts_beyond(&name.parse().unwrap());
        for name in [
            "service-worker-allowed",
            "origin-agent-cluster",
            "clear-site-data",
            "content-security-policy",
            "x-app",
        ] {
            assert!(!beyond(name), "{name}");
        }
        for name in [
            "strict-transport-security",
            "alt-svc",
            "nel",
            "report-to",
            "x-accel-redirect",
            "secure-session-registration",
        ] {
            assert!(beyond(name), "{name}");
        }
    }
}
