//! Networks, as `server.trusted_proxies` lists them.

use ipnet::{IpNet, Ipv4Net};
use serde::de::{Deserialize, Deserializer, Error};
use std::net::IpAddr;

/// How far the part of an IPv4-mapped IPv6 address goes that every one has.
const MAPPED: u8 = 96;

/// A list of addresses and CIDRs.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let entries = Vec::<String>::deserialize(from)?;
    let networks = entries.iter().map(|entry| {
        parse(entry).ok_or_else(|| {
            let message = format!(
                "`{entry}` is neither an address nor a network; write it as 192.0.2.1 or 192.0.2.0/24"
            );
            D::Error::custom(message)
        })
    });
    networks.collect()
}

/// The network, in the form that addresses are compared in.
fn parse(entry: &str) -> Option<IpNet> {
    let network = match entry.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => entry.parse().ok()?,
    };
    if let IpNet::V6(v6) = network
        && let Some(v4) = v6.addr().to_ipv4_mapped()
        && let Some(prefix) = v6.prefix_len().checked_sub(MAPPED)
    {
        return Ipv4Net::new(v4, prefix).ok().map(Into::into);
    }
    Some(network)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn addresses_are_networks_of_one_and_mapped_ones_are_those_of_ipv4() {
        for (entry, network) in [
            ("127.0.0.1", "127.0.0.1/32"),
            ("::1", "::1/128"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::ffff:127.0.0.0/104", "127.0.0.0/8"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
            ("::ffff:0.0.0.0/96", "0.0.0.0/0"),
        ] {
            let parsed = parse(entry).map(|network| network.to_string());
            assert_eq!(parsed.as_deref(), Some(network), "{entry}");
        }
        for nonsense in ["", "localhost", "127.0.0.1/33", "127.0.0.1:80", "10.0.0.0/"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
