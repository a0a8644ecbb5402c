//! `[tls]`: how this program ends TLS itself.

use super::address;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// How the gateway ends TLS itself (HTTP/2 and HTTP/1.1). It does so with `cert` and `key`, or with
/// `[tls.acme]`; without any of them it speaks plain HTTP.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The file with the gateway's certificate and those of its issuers, in PEM. With it
    /// `server.listen` and the sockets of systemd's that are named `https` speak TLS. A replaced
    /// file is taken up without a restart.
    pub cert: Option<PathBuf>,
    /// The file with the certificate's key, in PEM, without a passphrase.
    pub key: Option<PathBuf>,
    /// See [`Acme`].
    pub acme: Option<Acme>,
    /// The addresses and ports at which plain HTTP is sent on to https (308). Sockets of systemd's
    /// that are named `http-redirect` stand in for them.
    #[serde(deserialize_with = "address::listeners")]
    pub http_listen: Vec<SocketAddr>,
    /// With `cert`: the folder into which an ACME client writes
    /// `.well-known/acme-challenge/<token>`, which is served over plain HTTP.
    pub acme_webroot: Option<PathBuf>,
    /// Other names of the gateway, whose visitors are sent on to `auth.origin` (308).
    pub redirect_hosts: Vec<String>,
    /// For how many seconds browsers ask for the gateway over https alone
    /// (`Strict-Transport-Security`); 0 for no such promise.
    pub hsts_secs: u64,
}

/// An authority from which the gateway gets a certificate for each of its hosts, by ACME
/// (TLS-ALPN-01), in the place of `cert` and `key`. Port 443 of these hosts must lead here.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Acme {
    /// The URL of the authority's directory.
    pub directory: String,
    /// The address that the authority may write to.
    pub email: Option<String>,
    /// Whether you accept the authority's terms of service, without which there is no account.
    pub accept_terms: bool,
    /// The folder of the account, the keys and the certificates. Without it, `acme` beside the
    /// store.
    pub dir: Option<PathBuf>,
    /// A file with the roots by which the authority's own certificate is trusted, in PEM. Without it,
    /// the system's (`SSL_CERT_FILE`).
    pub ca_file: Option<PathBuf>,
}

impl Tls {
    /// Whether there is TLS.
    pub fn is_on(&self) -> bool {
        self.cert.is_some() || self.acme.is_some()
    }
}
