//! What is measured: a server that answers on loopback.

use std::net::SocketAddr;
use testkit::client::Client;

/// The name of the upstream without a proxy.
pub const DIRECT: &str = "direct";
/// The name of the first peer.
pub const NGINX: &str = "nginx";
/// The name of the second peer.
pub const HAPROXY: &str = "HAProxy";
/// The name of what the others are compared with.
pub const HYPERVISOR: &str = "hypervisor";

/// A server under load.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name in the tables.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// The process whose family's time and memory count; none for the upstream alone.
    pub pid: Option<u32>,
    /// The `Cookie` header of every request.
    pub cookie: String,
}

impl Target {
    /// The `Host` header of every request.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// A client of it, for a request that is not measured.
    pub fn client(&self) -> Client {
        Client::new(&format!("http://{}", self.host()))
    }
}
