//! `[tls]`: how this program ends TLS itself.

use super::address;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[tls]`: how this program ends TLS itself. Without `cert` and `key`, and without `acme`, it does
/// not.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate and those of its issuers, PEM. With it `server.listen` and the
    /// sockets of systemd's that are named `https` speak TLS.
    pub cert: Option<PathBuf>,
    /// The certificate's key, PEM, without a passphrase.
    pub key: Option<PathBuf>,
    /// In the place of both: certificates that this program gets by itself.
    pub acme: Option<Acme>,
    /// Where plain HTTP is sent on to https; sockets of systemd's that are named
    /// `http-redirect` stand in for these.
    #[serde(deserialize_with = "address::listeners")]
    pub http_listen: Vec<SocketAddr>,
    /// With `cert`: the folder into which an ACME client writes `.well-known/acme-challenge/<token>`, which is
    /// served over plain HTTP.
    pub acme_webroot: Option<PathBuf>,
    /// Other names of this host, whose visitors are sent on to the origin.
    pub redirect_hosts: Vec<String>,
    /// Seconds for which browsers ask for this host over https alone
    /// (`Strict-Transport-Security`); 0 for no such promise.
    pub hsts_secs: u64,
}

/// `[tls.acme]`: an authority from which this program gets a certificate for each of its hosts, by
/// ACME (TLS-ALPN-01). The hosts' port 443 must lead here.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acme {
    /// The URL of the authority's directory; by default that of Let's Encrypt.
    pub directory: String,
    /// Where the authority may write to.
    pub email: Option<String>,
    /// Whether you accept the authority's terms of service, without which there is no account.
    pub accept_terms: bool,
    /// The folder of the account, the keys and the certificates; by default `acme` beside the
    /// store.
    pub dir: Option<PathBuf>,
    /// The roots by which the authority's own certificate is trusted, PEM; by default the system's
    /// (`SSL_CERT_FILE`).
    pub ca_file: Option<PathBuf>,
}

impl Tls {
    /// Whether there is TLS.
    pub fn is_on(&self) -> bool {
        self.cert.is_some() || self.acme.is_some()
    }
}
