//! What is spoken between gateways, as it is agreed on in the handshake.

use tokio::net::TcpStream;

/// A connection of another machine.
pub type PeerStream = tokio_rustls::server::TlsStream<TcpStream>;

/// Requests.
pub(super) const HTTP2: &[u8] = b"h2";
/// A request that becomes a tunnel.
pub(super) const HTTP1: &[u8] = b"http/1.1";
/// Orders of an operator.
pub(super) const OPERATOR: &[u8] = b"choiros-operator";
