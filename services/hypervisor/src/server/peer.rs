//! Who is at the other end of a connection, as far as we believe what we are told.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The far end of a request; a request extension on every path.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The socket's far end.
    pub socket: SocketAddr,
    /// The client: the socket's address, or the one that a trusted proxy names.
    pub client: IpAddr,
    /// Whether the socket's far end is a trusted proxy, whose forwarding headers count.
    pub trusted: bool,
    /// The scheme that the client used, `http` or `https`.
    pub scheme: &'static str,
}

impl Peer {
    /// The peer of a request that came in from `socket` with these headers.
    pub fn new(socket: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let address = socket.ip().to_canonical();
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        let mut peer = Self {
            socket,
            client: address,
            trusted: is_trusted(&address),
            scheme: "http",
        };
        if peer.trusted {
            // The rightmost address that no trusted proxy has: all left of it is hearsay.
            peer.client = forwarded_for(headers)
                .find(|address| !is_trusted(address))
                .unwrap_or(address);
            if headers
                .get("x-forwarded-proto")
                .is_some_and(|p| p == "https")
            {
                peer.scheme = "https";
            }
        }
        peer
    }
}

/// The addresses of `X-Forwarded-For`, the nearest first, as far as they are addresses.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = IpAddr> + '_ {
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.to_str().unwrap_or_default().rsplit(','))
        .map_while(|entry| entry.trim().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(socket: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = [
            "127.0.0.0/8".parse().unwrap(),
            "10.0.0.0/8".parse().unwrap(),
        ];
        let peer = Peer::new(socket.parse().unwrap(), &headers, &trusted);
        peer.client.to_string()
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
    }
}
