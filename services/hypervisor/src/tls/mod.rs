//! TLS as a server: certificates, which are replaced while connections stay, and handshakes.
//!
//! A [`Tls`] is made from the two files that `[tls]` names, or gets its certificates itself
//! (`acme`), and is looked after by [`Tls::watch`]; `handshake` makes a TLS stream of an accepted
//! connection.

mod acme;
mod certificate;
mod error;
mod handshake;
mod validity;
mod watch;

#[cfg(test)]
mod tests;

pub use acme::{Acme, Settings as AcmeSettings};
pub use error::TlsError;
pub use handshake::{Handshake, TlsStream};
pub use validity::Validity;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use watch::Watched;

/// What we speak over TLS, the first that a client knows, too.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS for any number of connections.
pub struct Tls {
    certificates: Certificates,
}

/// Where the certificates are from.
enum Certificates {
    /// One, for whatever name, from two files.
    Files(Watched),
    /// One a name, by ACME.
    Acme(Arc<Acme>),
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// They are not a certificate and its key.
    pub fn open(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = Watched::open(cert, key, provider)?;
        Ok(Self {
            certificates: Certificates::Files(files),
        })
    }

    /// Takes up the certificates that it got before.
    ///
    /// # Errors
    /// What the settings name cannot be used.
    pub fn acme(settings: &AcmeSettings) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let acme = Acme::open(settings, provider)?;
        Ok(Self {
            certificates: Certificates::Acme(Arc::new(acme)),
        })
    }

    /// The certificates by ACME, if they are.
    pub fn by_acme(&self) -> Option<&Arc<Acme>> {
        match &self.certificates {
            Certificates::Files(_) => None,
            Certificates::Acme(acme) => Some(acme),
        }
    }

    /// For how long each certificate is good: `None` where there is none yet, or nobody knows.
    pub fn validities(&self) -> Vec<Option<Validity>> {
        match &self.certificates {
            Certificates::Files(files) => vec![files.validity()],
            Certificates::Acme(acme) => acme.validities(),
        }
    }

    /// Keeps the certificates good until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        match &self.certificates {
            Certificates::Files(files) => files.watch(stop).await,
            Certificates::Acme(acme) => acme.clone().run(stop).await,
        }
    }

    /// Serves what the files are now, or tries again at once what failed by ACME.
    pub fn reload(&self) {
        match &self.certificates {
            Certificates::Files(files) => files.refresh(true),
            Certificates::Acme(acme) => acme.retry(),
        }
    }
}

/// A server that speaks HTTP by these certificates.
fn server_config(
    provider: &Arc<CryptoProvider>,
    certificates: Arc<dyn ResolvesServerCert>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    // The state of a session is with the client, so that there is no table of sessions here.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.certificates {
            Certificates::Files(_) => "Tls(files)",
            Certificates::Acme(_) => "Tls(acme)",
        })
    }
}
