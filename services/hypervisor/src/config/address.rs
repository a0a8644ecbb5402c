//! Where a sandbox listens.

use serde::de::{Deserialize, Deserializer, Error};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where we listen: an address with a port.
pub(super) fn listener<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// The same where there need be none.
pub(super) fn some_listener<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<SocketAddr>, D::Error> {
    listener(from).map(Some)
}

/// A list of such.
pub(super) fn listeners<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SocketAddr>, D::Error> {
    let all = Vec::<String>::deserialize(from)?;
    let all = all.iter().map(|text| parse(text).map_err(D::Error::custom));
    all.collect()
}

fn parse(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no address with a port, such as 127.0.0.1:9090 or [::]:443")
    })
}

/// Where a sandbox listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum Address {
    /// There, and nowhere else.
    Exact(SocketAddr),
    /// At this port of `localhost`, in either family: many programs listen in one alone.
    Localhost(u16),
}

impl Address {
    /// Where it may be found, the likeliest first.
    pub fn places(&self) -> impl Iterator<Item = SocketAddr> + use<> {
        let places = match *self {
            Self::Exact(address) => [Some(address), None],
            Self::Localhost(port) => [
                Some((Ipv4Addr::LOCALHOST, port).into()),
                Some((Ipv6Addr::LOCALHOST, port).into()),
            ],
        };
        places.into_iter().flatten()
    }

    /// The first of these.
    pub fn first(&self) -> SocketAddr {
        match *self {
            Self::Exact(address) => address,
            Self::Localhost(port) => (Ipv4Addr::LOCALHOST, port).into(),
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.first().port()
    }

    /// What `Host` says to it.
    pub fn host(&self) -> String {
        match self {
            Self::Exact(address) => address.to_string(),
            Self::Localhost(port) => format!("localhost:{port}"),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Exact(address)
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let port = text
            .rsplit_once(':')
            .filter(|(host, _)| host.eq_ignore_ascii_case("localhost"))
            .and_then(|(_, port)| port.parse().ok());
        port.map(Self::Localhost)
            .or_else(|| text.parse().ok().map(Self::Exact))
            .ok_or_else(|| {
                format!("`{text}` is no address with a port, such as 10.233.1.2:8080, [::1]:8080 or localhost:8080")
            })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().fmt(f)
    }
}
