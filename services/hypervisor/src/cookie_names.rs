//! What our cookies are called.
//!
//! | cookie | at | over https | over plain http |
//! | --- | --- | --- | --- |
//! | of a session | the gateway | `__Host-choiros` | `choiros-<port>` |
//! | of a ceremony under way | the gateway | `__Host-choiros-ceremony` | `choiros-ceremony-<port>` |
//! | of the machine that has the ceremony | the gateway | `__Host-choiros-machine` | `choiros-machine-<port>` |
//! | that lets a browser in | a sandbox | `__Host-choiros-grant` | `choiros-grant-<port>` |
//! | that knows a browser again | a sandbox | `__Host-choiros-enter` | `choiros-enter-<port>` |
//!
//! Browsers take a `__Host-` cookie from this very host alone, and only over https. Otherwise they
//! send a cookie to every port of its host, which is why two gateways on one laptop have names of
//! their own.

use http::header::{COOKIE, HeaderMap, HeaderValue, InvalidHeaderValue};
use url::Url;

/// The stems of the names, as each scheme goes on from them.
const STEMS: [&str; 5] = [
    "choiros",
    "choiros-ceremony",
    "choiros-machine",
    "choiros-grant",
    "choiros-enter",
];

const HOST_PREFIX: &str = "__Host-";

/// The names of one gateway's cookies.
#[derive(Debug, Clone)]
pub struct CookieNames {
    /// The session's.
    pub session: String,
    /// The ceremony's.
    pub ceremony: String,
    /// That of the machine that has the ceremony, where there are several.
    pub machine: String,
    /// A sandbox's, which lets a session's browser in.
    pub grant: String,
    /// A sandbox's, which knows the browser that asked to be let in.
    pub enter: String,
    /// Whether they are for https alone.
    pub secure: bool,
}

impl CookieNames {
    /// Those of the gateway at this origin.
    pub fn of(origin: &Url) -> Self {
        let secure = origin.scheme() == "https";
        let port = origin.port_or_known_default().unwrap_or_default();
        let [session, ceremony, machine, grant, enter] = STEMS.map(|stem| {
            if secure {
                format!("{HOST_PREFIX}{stem}")
            } else {
                format!("{stem}-{port}")
            }
        });
        Self {
            session,
            ceremony,
            machine,
            grant,
            enter,
            secure,
        }
    }
}

impl CookieNames {
    /// What sets the cookie of this name for so many seconds.
    ///
    /// # Errors
    /// The value cannot stand in a header.
    pub fn header(
        &self,
        name: &str,
        value: &str,
        secs: u64,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        HeaderValue::try_from(format!(
            "{name}={value}; Max-Age={secs}; Path=/; HttpOnly; SameSite=Lax{secure}"
        ))
    }
}

/// What a request's cookies hold under this name. There may be several, of which others than we have
/// set some.
pub fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
            value.strip_prefix(b"=")
        })
}

/// Whether a cookie of this name is a gateway's: this one's, that of another port, or that of an
/// earlier release, which had no port in it.
pub fn is_ours(name: &[u8]) -> bool {
    let Ok(name) = str::from_utf8(name) else {
        return false;
    };
    let stem = name.strip_prefix(HOST_PREFIX).unwrap_or(name);
    if !stem.starts_with(STEMS[0]) {
        return false;
    }
    let stem = match stem.rsplit_once('-') {
        Some((stem, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => stem,
        _ => stem,
    };
    STEMS.contains(&stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_has_the_port_in_each_name() {
        let names = CookieNames::of(&"http://localhost:9090".parse().unwrap());
        assert_eq!(names.session, "choiros-9090");
        assert_eq!(names.enter, "choiros-enter-9090");
        let names = CookieNames::of(&"http://localhost".parse().unwrap());
        assert_eq!(names.grant, "choiros-grant-80");
        let names = CookieNames::of(&"https://a.example:8443".parse().unwrap());
        assert_eq!(names.ceremony, "__Host-choiros-ceremony");
    }

    #[test]
    fn the_names_of_all_schemes_ports_and_releases_are_ours() {
        for name in [
            "choiros",
            "choiros-ceremony",
            "choiros-9090",
            "choiros-ceremony-1",
            "choiros-grant-65535",
            "choiros-enter-9090",
            "__Host-choiros",
            "__Host-choiros-enter",
            "__Host-choiros-9090",
        ] {
            assert!(is_ours(name.as_bytes()), "{name}");
        }
        for name in [
            "",
            "a",
            "xchoiros",
            "choirosx",
            "Choiros",
            "choiros-a",
            "choiros-other-9090",
            "choiros_9090",
            "choiros-90x",
            "__Secure-choiros",
            "__Host-",
        ] {
            assert!(!is_ours(name.as_bytes()), "{name}");
        }
        assert!(!is_ours(b"choiros\xff"));
    }
}
