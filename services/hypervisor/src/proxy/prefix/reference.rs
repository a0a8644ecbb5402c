//! Whose a reference is, and how it reads with the prefix or without.
//!
//! A path that has the prefix already stays as it is. A sandbox that heeds `X-Forwarded-Prefix` says
//! such paths, and one that does not has few of its own that begin so; a prefix put there twice
//! would lead nowhere.

use http::HeaderMap;
use http::Uri;
use http::header::{HOST, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use std::net::{IpAddr, SocketAddr};
use url::{Position, Url};

static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Where a sandbox is found, and where it may think that it is.
#[derive(Debug)]
pub(in crate::proxy) struct Site {
    prefix: &'static str,
    /// The hosts by which it is reached, with their ports unless these are the scheme's.
    hosts: Vec<(String, Option<u16>)>,
    /// Where it listens.
    address: SocketAddr,
    /// What it takes for the address of what it was asked for.
    url: Url,
}

#[derive(Debug, PartialEq, Eq)]
enum Whose {
    /// At the origin that browsers know.
    Ours,
    /// At the address where the sandbox listens, where no browser comes.
    Sandbox,
    Foreign,
}

impl Site {
    /// That of the sandbox at `address`, which is asked for `target`, without `prefix`, by these
    /// headers. `None` if no URL can be made of them.
    pub(in crate::proxy) fn new(
        prefix: &'static str,
        headers: &HeaderMap,
        target: &Uri,
        origin: Option<&HeaderValue>,
        address: SocketAddr,
    ) -> Option<Self> {
        let text = |value: Option<&HeaderValue>| value?.to_str().ok().map(str::to_owned);
        let host = text(headers.get(HOST)).unwrap_or_else(|| address.to_string());
        let forwarded = text(headers.get(&FORWARDED_HOST));
        let urls = [
            Some(format!("http://{host}")),
            forwarded.map(|it| format!("https://{it}")),
            text(origin),
        ];
        let urls = urls.into_iter().flatten();
        let urls = urls.filter_map(|url| Url::parse(&url).ok());
        let path = target.path_and_query().map_or("/", PathAndQuery::as_str);
        Some(Self {
            prefix,
            hosts: urls
                .filter_map(|url| Some((url.host_str()?.to_owned(), url.port())))
                .collect(),
            address,
            url: Url::parse(&format!("http://{host}{path}")).ok()?,
        })
    }

    pub(super) fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// The reference as browsers must have it; `None` if it stays.
    pub(super) fn add(&self, reference: &[u8]) -> Option<Vec<u8>> {
        if is_odd(reference) {
            return self.resolve(str::from_utf8(reference).ok()?);
        }
        let Some(end) = end_of_authority(reference) else {
            // What is relative stays so.
            return self
                .below(reference)
                .filter(|_| reference.starts_with(b"/"));
        };
        let (authority, path) = reference.split_at(end);
        match self.whose(authority) {
            Whose::Ours => Some([authority, &self.below(path)?].concat()),
            Whose::Sandbox => Some(self.below(path).unwrap_or_else(|| path.to_vec())),
            Whose::Foreign => None,
        }
    }

    /// The reference as the sandbox must have it; `None` if it is not below the prefix.
    pub(super) fn remove(&self, reference: &[u8]) -> Option<Vec<u8>> {
        let end = end_of_authority(reference);
        let (authority, path) = reference.split_at(end.unwrap_or_default());
        if end.is_some() && self.whose(authority) != Whose::Ours {
            return None;
        }
        let rest = self.behind(path)?;
        let slash: &[u8] = if rest.starts_with(b"/") { b"" } else { b"/" };
        Some([authority, slash, rest].concat())
    }

    /// The path with the prefix before it; `None` if it has it already.
    pub(super) fn below(&self, path: &[u8]) -> Option<Vec<u8>> {
        if self.behind(path).is_some() {
            return None;
        }
        let slash: &[u8] = if path.starts_with(b"/") { b"" } else { b"/" };
        Some([self.prefix.as_bytes(), slash, path].concat())
    }

    /// What stands behind the prefix.
    fn behind<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let rest = path.strip_prefix(self.prefix.as_bytes())?;
        matches!(rest, [] | [b'/' | b'?' | b'#', ..]).then_some(rest)
    }

    /// A reference that could lead out of the prefix, followed as a browser at the sandbox would.
    fn resolve(&self, reference: &str) -> Option<Vec<u8>> {
        let url = self.url.join(reference).ok()?;
        if self.whose(url[..Position::BeforePath].as_bytes()) == Whose::Foreign {
            return None;
        }
        let path = url[Position::BeforePath..].as_bytes();
        let is_relative =
            !reference.trim_start().starts_with(['/', '\\']) && Url::parse(reference).is_err();
        match self.below(path) {
            Some(path) => Some(path),
            None if is_relative => Some([self.prefix.as_bytes(), path].concat()),
            None => Some(path.to_vec()),
        }
    }

    /// Whose a scheme and authority, or an authority behind `//`, is.
    fn whose(&self, authority: &[u8]) -> Whose {
        let url = str::from_utf8(authority)
            .ok()
            .and_then(|it| self.url.join(it).ok());
        let Some(url) = url else {
            return Whose::Foreign;
        };
        let host = url.host_str().unwrap_or_default();
        let port = url.port();
        if self
            .hosts
            .iter()
            .any(|ours| ours.0 == host && ours.1 == port)
        {
            Whose::Ours
        } else if url.port_or_known_default() == Some(self.address.port()) && self.is_here(host) {
            Whose::Sandbox
        } else {
            Whose::Foreign
        }
    }

    /// Whether the sandbox may call its own host so.
    fn is_here(&self, host: &str) -> bool {
        let here = self.address.ip();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) => ip == here || ip.is_unspecified() || here.is_loopback() && ip.is_loopback(),
            Err(_) => here.is_loopback() && host == "localhost",
        }
    }
}

/// Where the path begins behind `http://host` or `//host`.
fn end_of_authority(reference: &[u8]) -> Option<usize> {
    let schemes = [&b"//"[..], b"http://", b"https://"];
    let has = |scheme: &&&[u8]| {
        let start = reference.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let start = schemes.iter().find(has)?.len();
    let rest = &reference[start..];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    Some(start + end.unwrap_or(rest.len()))
}

/// Whether browsers read its path as another one: `..` is followed, and `\` is a slash.
fn is_odd(reference: &[u8]) -> bool {
    let mut parts = reference.split(|byte| matches!(byte, b'?' | b'#'));
    let path = parts.next().unwrap_or_default();
    let is_parent = |segment: &[u8]| {
        let segment = segment.to_ascii_lowercase();
        matches!(&*segment, b".." | b".%2e" | b"%2e." | b"%2e%2e")
    };
    path.iter().any(|byte| matches!(byte, b'\\' | b'\t'))
        || path.split(|byte| *byte == b'/').any(is_parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("Choir.example"));
        let origin = HeaderValue::from_static("https://choir.example:8443");
        let address = "127.0.0.1:9001".parse().unwrap();
        let target = "/a/b?c".parse().unwrap();
        Site::new("/dev", &headers, &target, Some(&origin), address).unwrap()
    }

    #[test]
    fn what_is_of_the_sandbox_gets_the_prefix() {
        for (from, to) in [
            ("/", "/dev/"),
            ("/x?y=/z#f", "/dev/x?y=/z#f"),
            ("/?next=/dev/", "/dev/?next=/dev/"),
            ("/devices", "/dev/devices"),
            ("/dev", "/dev"),
            ("/dev/x", "/dev/x"),
            ("/dev?x", "/dev?x"),
            ("", ""),
            ("x", "x"),
            ("./x/y", "./x/y"),
            ("?q=/x", "?q=/x"),
            ("#/x", "#/x"),
            ("mailto:/x", "mailto:/x"),
            ("javascript:x", "javascript:x"),
            // Ours, as the request or the configuration says.
            ("http://choir.example", "http://choir.example/dev/"),
            ("https://choir.example/x", "https://choir.example/dev/x"),
            (
                "HTTPS://CHOIR.example:8443/x?y",
                "HTTPS://CHOIR.example:8443/dev/x?y",
            ),
            ("https://choir.example?x", "https://choir.example/dev/?x"),
            ("https://choir.example/dev/x", "https://choir.example/dev/x"),
            ("//choir.example/x", "//choir.example/dev/x"),
            // The sandbox's own, where nobody comes.
            ("http://127.0.0.1:9001/x", "/dev/x"),
            ("http://localhost:9001", "/dev/"),
            ("http://0.0.0.0:9001/dev/x", "/dev/x"),
            ("//[::1]:9001/x", "/dev/x"),
            // Others.
            ("http://127.0.0.1:9002/x", "http://127.0.0.1:9002/x"),
            (
                "https://choir.example:9443/x",
                "https://choir.example:9443/x",
            ),
            (
                "https://choir.example.evil/x",
                "https://choir.example.evil/x",
            ),
            (
                "https://choir.example@evil/x",
                "https://choir.example@evil/x",
            ),
            ("//evil/x", "//evil/x"),
            ("ftp://choir.example/x", "ftp://choir.example/x"),
            // What would lead out of the prefix.
            ("..", "/dev/"),
            ("../x", "/dev/x"),
            ("../../../x?y#z", "/dev/x?y#z"),
            ("../dev/x", "/dev/dev/x"),
            ("%2E%2e/x", "/dev/x"),
            ("/dev/../x", "/dev/x"),
            ("/x/../dev/y", "/dev/y"),
            ("https://choir.example/dev/../x", "/dev/x"),
            ("https://evil/../x", "https://evil/../x"),
            ("\\x", "/dev/x"),
            ("/\\evil/x", "/\\evil/x"),
            ("x?y=../z", "x?y=../z"),
        ] {
            let added = site().add(from.as_bytes());
            let added = added.map_or(from.to_owned(), |it| String::from_utf8(it).unwrap());
            assert_eq!(added, to, "{from}");
        }
        assert_eq!(site().add(b"/\xe9"), Some(b"/dev/\xe9".to_vec()));
    }

    #[test]
    fn what_is_below_the_prefix_is_told_without_it() {
        for (from, to) in [
            ("/dev/x?y", Some("/x?y")),
            ("/dev", Some("/")),
            ("/dev/dev/x", Some("/dev/x")),
            (
                "https://choir.example/dev/x",
                Some("https://choir.example/x"),
            ),
            ("http://Choir.example/dev", Some("http://Choir.example/")),
            ("//choir.example/dev/x", Some("//choir.example/x")),
            ("/x", None),
            ("/devices", None),
            ("x", None),
            ("https://choir.example/x", None),
            ("https://evil/dev/x", None),
            ("http://127.0.0.1:9001/dev/x", None),
        ] {
            let removed = site().remove(from.as_bytes());
            let removed = removed.map(|it| String::from_utf8(it).unwrap());
            assert_eq!(removed.as_deref(), to, "{from}");
        }
    }
}
