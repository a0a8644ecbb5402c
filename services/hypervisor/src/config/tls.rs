//! `[tls]`: how this program ends TLS itself.

use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[tls]`: how this program ends TLS itself. Without `cert` and `key` it does not.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate and those of its issuers, PEM. With it `server.listen` and the
    /// sockets of systemd's that are named `https` speak TLS.
    pub cert: Option<PathBuf>,
    /// The certificate's key, PEM, without a passphrase.
    pub key: Option<PathBuf>,
    /// Where plain HTTP is sent on to https; sockets of systemd's that are named
    /// `http-redirect` stand in for these.
    pub http_listen: Vec<SocketAddr>,
    /// The folder into which an ACME client writes `.well-known/acme-challenge/<token>`, which is
    /// served over plain HTTP.
    pub acme_webroot: Option<PathBuf>,
    /// Other names of this host, whose visitors are sent on to the origin.
    pub redirect_hosts: Vec<String>,
    /// Seconds for which browsers ask for this host over https alone
    /// (`Strict-Transport-Security`); 0 for no such promise.
    pub hsts_secs: u64,
}

impl Tls {
    /// Whether there is TLS.
    pub fn is_on(&self) -> bool {
        self.cert.is_some()
    }
}
