//! Who is at the other end of a connection, as far as we believe what we are told.

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Once;
use tracing::warn;

/// Said once, for each request would be a line.
static UNNAMED: Once = Once::new();

/// The far end of a request; a request extension on every path.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The connection's far end.
    pub source: Source,
    /// The client: the connection's far end, or the address that a trusted proxy names.
    ///
    /// A proxy at a Unix socket that names none leaves the unspecified address, which is no
    /// loopback and opens nothing. Limits by address then count all of its clients as one, which
    /// is too strict rather than too lax, and the log says so once.
    pub client: IpAddr,
    /// Whether the far end is a trusted proxy, whose forwarding headers count.
    pub trusted: bool,
    /// Whether that is the gateway of another machine.
    pub is_gateway: bool,
    /// What that one knew of the workspace that it is for.
    pub carried: Option<Box<Carried>>,
    /// The scheme that the client used, `http` or `https`.
    pub scheme: &'static str,
}

/// What the gateway of another machine knew of a workspace when it carried a request there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The workspace.
    pub workspace: Box<str>,
    /// How often it had another home before.
    pub epoch: u64,
}

static WORKSPACE: HeaderName = HeaderName::from_static("x-choiros-workspace");
static EPOCH: HeaderName = HeaderName::from_static("x-choiros-epoch");

impl Carried {
    /// Says it to the other gateway. No client can: names like these are removed on the way in.
    pub fn insert_into(self, headers: &mut HeaderMap) {
        if let Ok(workspace) = HeaderValue::try_from(&*self.workspace) {
            headers.insert(&WORKSPACE, workspace);
            headers.insert(&EPOCH, self.epoch.into());
        }
    }

    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name)?.to_str().ok();
        Some(Self {
            workspace: text(&WORKSPACE)?.into(),
            epoch: text(&EPOCH)?.parse().ok()?,
        })
    }
}

impl Peer {
    /// The peer of a request that came in from `source` over `scheme` with these headers.
    pub fn new(
        source: Source,
        scheme: &'static str,
        headers: &HeaderMap,
        trusted: &[IpNet],
    ) -> Self {
        let mut peer = Self {
            source,
            client: source.address().unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            trusted: trusts(&source, trusted),
            is_gateway: false,
            carried: None,
            scheme,
        };
        peer.believe(headers, trusted);
        peer
    }

    /// The peer of a request that the gateway of another machine has carried here.
    pub fn of_gateway(source: Source, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let mut peer = Self {
            source,
            client: source.address().unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            trusted: true,
            is_gateway: true,
            carried: Carried::of(headers).map(Box::new),
            scheme: "https",
        };
        peer.believe(headers, trusted);
        peer
    }

    /// Believes what a trusted far end says of its clients.
    fn believe(&mut self, headers: &HeaderMap, trusted: &[IpNet]) {
        let peer = self;
        if peer.trusted {
            // The rightmost address that no trusted proxy has, for all left of it is hearsay; or
            // the leftmost, if trusted proxies have them all.
            for address in forwarded_for(headers) {
                peer.client = address;
                if !is_among(&address, trusted) {
                    break;
                }
            }
            if peer.client.is_unspecified() {
                UNNAMED.call_once(|| {
                    warn!(
                        source = %peer.source,
                        "a proxy does not say who its clients are, so limits by address count them as one; have it send X-Forwarded-For"
                    );
                });
            }
            if let Some(scheme) = headers.get("x-forwarded-proto") {
                peer.scheme = if scheme == "https" { "https" } else { "http" };
            }
        }
    }
}

/// Whether it is a proxy whose forwarding headers count: any at a Unix socket, and those over TCP
/// that are named.
fn trusts(source: &Source, trusted: &[IpNet]) -> bool {
    source
        .address()
        .is_none_or(|address| is_among(&address, trusted))
}

fn is_among(address: &IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// The addresses of `X-Forwarded-For`, the nearest first, as far as they are addresses.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = IpAddr> + '_ {
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.to_str().unwrap_or_default().rsplit(','))
        .map_while(|entry| entry_address(entry.trim()))
        .map(|address| address.to_canonical())
}

/// An address, as one proxy or another writes it: with a port or without, and one of IPv6 in
/// brackets or, without a port, also not.
fn entry_address(entry: &str) -> Option<IpAddr> {
    if let Ok(address) = entry.parse() {
        return Some(address);
    }
    if let Ok(socket) = entry.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    let inner = entry.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<Ipv6Addr>().ok().map(Into::into)
}

/// The far end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An address and port.
    Tcp(SocketAddr),
    /// Whoever may open our Unix socket. That is a proxy, whose word counts: the socket's
    /// permissions say who else can be it.
    Unix,
}

impl Source {
    /// Its address; a Unix socket's far end has none.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(socket) => Some(socket.ip().to_canonical()),
            Self::Unix => None,
        }
    }
}

impl From<SocketAddr> for Source {
    fn from(socket: SocketAddr) -> Self {
        Self::Tcp(socket)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(socket) => socket.fmt(f),
            Self::Unix => f.write_str("a Unix socket"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(source: Source, forwarded: &[&'static str]) -> Peer {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = [
            "127.0.0.0/8".parse().unwrap(),
            "10.0.0.0/8".parse().unwrap(),
        ];
        Peer::new(source, "http", &headers, &trusted)
    }

    fn client(socket: &str, forwarded: &[&'static str]) -> String {
        let socket: SocketAddr = socket.parse().unwrap();
        peer(socket.into(), forwarded).client.to_string()
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client_and_hearsay_before_it_is_ignored() {
        assert_eq!(client("127.0.0.1:1", &[]), "127.0.0.1");
        assert_eq!(client("127.0.0.1:1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("192.0.2.9:1", &["192.0.2.7"]), "192.0.2.9");
        assert_eq!(client("127.0.0.1:1", &["6.6.6.6, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(
            client("127.0.0.1:1", &["6.6.6.6", "192.0.2.7, 10.1.1.1"]),
            "192.0.2.7"
        );
        assert_eq!(client("127.0.0.1:1", &["192.0.2.7, nonsense"]), "127.0.0.1");
        assert_eq!(client("[::ffff:127.0.0.1]:1", &["::1"]), "::1");
        assert_eq!(client("127.0.0.1:1", &["10.1.1.2, 10.1.1.1"]), "10.1.1.2");
    }

    #[test]
    fn an_address_may_have_brackets_and_a_port() {
        for (entry, address) in [
            ("192.0.2.8:51234", "192.0.2.8"),
            ("[2001:db8::8]:51234", "2001:db8::8"),
            ("[2001:db8::8]", "2001:db8::8"),
            ("2001:db8::8", "2001:db8::8"),
            ("::ffff:192.0.2.8", "192.0.2.8"),
            ("[::ffff:192.0.2.8]:1, 10.0.0.1:80", "192.0.2.8"),
        ] {
            assert_eq!(client("127.0.0.1:1", &[entry]), address, "{entry}");
        }
        for nonsense in ["192.0.2.8:", "[192.0.2.8]", "[2001:db8::8", "a:1", ""] {
            assert_eq!(client("127.0.0.1:1", &[nonsense]), "127.0.0.1");
        }
    }

    #[test]
    fn whoever_comes_over_a_unix_socket_is_a_trusted_proxy_and_never_the_client() {
        for (forwarded, client) in [
            (&[][..], "0.0.0.0"),
            (&["nonsense"], "0.0.0.0"),
            (&["10.1.1.1"], "10.1.1.1"),
            (&["192.0.2.7"], "192.0.2.7"),
            (&["6.6.6.6, 192.0.2.7"], "192.0.2.7"),
            (&["192.0.2.7, 10.1.1.1"], "192.0.2.7"),
        ] {
            let peer = peer(Source::Unix, forwarded);
            assert!(peer.trusted);
            assert_eq!(peer.client.to_string(), client, "{forwarded:?}");
        }
    }
}
