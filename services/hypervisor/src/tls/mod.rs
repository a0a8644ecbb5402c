//! TLS as a server: the certificate, which is replaced while connections stay, and handshakes.
//!
//! A [`Tls`] is made from the two files that `[tls]` names and looked after by [`Tls::watch`];
//! `handshake` makes a TLS stream of an accepted connection.

mod certificate;
mod error;
mod handshake;
mod watch;

#[cfg(test)]
mod tests;

pub use error::TlsError;
pub use handshake::{Handshake, TlsStream};

use arc_swap::ArcSwap;
use certificate::Files;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio_rustls::TlsAcceptor;
use watch::LastRead;

/// What we speak over TLS, the first that a client knows, too.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS with one certificate, for any number of connections.
pub struct Tls {
    acceptor: TlsAcceptor,
    files: Files,
    resolver: Arc<Resolver>,
    provider: Arc<CryptoProvider>,
    last_read: Mutex<LastRead>,
}

/// The certificate that handshakes get from now on.
#[derive(Debug)]
struct Resolver(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// They are not a certificate and its key.
    pub fn open(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = Files::new(cert, key);
        let (versions, pair) = (files.versions(), files.load(&provider)?);
        let resolver = Arc::new(Resolver(ArcSwap::from_pointee(pair)));
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver.clone());
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        // The state of a session is with the client, so that there is no table of sessions here.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            files,
            resolver,
            provider,
            last_read: Mutex::new(LastRead::well(versions)),
        })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("cert", &self.files.cert)
            .finish_non_exhaustive()
    }
}
