//! Who is at the other end of a connection, as far as we believe what we are told.

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
