//! Notices that the files are others than before, and serves what they are now.
//!
//! It looks at them every few seconds, which sees whatever way they change in: written over,
//! renamed, or behind a link that leads elsewhere from now on.

use super::certificate::{FileVersion, Files};
use super::{TlsError, Validity, server_config};
use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a new certificate may wait.
const INTERVAL: Duration = Duration::from_secs(3);

/// What the last look at the files came to.
pub(super) struct LastRead {
    /// What was read then.
    versions: [FileVersion; 2],
    /// Why it is not served, if it is not.
    failure: Option<String>,
    /// Whether the log has that.
    pub(super) logged: bool,
}

impl LastRead {
    pub(super) fn well(versions: [FileVersion; 2]) -> Self {
        Self {
            versions,
            failure: None,
            logged: false,
        }
    }
}

/// The certificate of two files.
pub(super) struct Watched(Arc<Pair>);

/// What is looked at while connections are made.
pub(super) struct Pair {
    pub(super) acceptor: TlsAcceptor,
    files: Files,
    pub(super) resolver: Arc<Resolver>,
    provider: Arc<CryptoProvider>,
    pub(super) last_read: Mutex<LastRead>,
}

/// The certificate that handshakes get from now on.
#[derive(Debug)]
pub(super) struct Resolver(pub(super) ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Deref for Watched {
    type Target = Pair;

    fn deref(&self) -> &Pair {
        &self.0
    }
}

impl Watched {
    /// Reads both files.
    pub(super) fn open(
        cert: &Path,
        key: &Path,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let files = Files::new(cert, key);
        let (versions, pair) = (files.versions(), files.load(&provider)?);
        let resolver = Arc::new(Resolver(ArcSwap::from_pointee(pair)));
        let config = server_config(&provider, resolver.clone())?;
        Ok(Self(Arc::new(Pair {
            acceptor: TlsAcceptor::from(config),
            files,
            resolver,
            provider,
            last_read: Mutex::new(LastRead::well(versions)),
        })))
    }

    /// Looks at the files until `stop`, and serves what they are.
    pub(super) async fn watch(&self, stop: CancellationToken) {
        let refreshing = async {
            loop {
                tokio::time::sleep(INTERVAL).await;
                let pair = self.0.clone();
                // A disk may take its time. What fails is tried again.
                let _ = tokio::task::spawn_blocking(move || pair.refresh(false)).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = refreshing => {}
        }
    }
}

impl Pair {
    /// For how long what is served is good.
    pub(super) fn validity(&self) -> Option<Validity> {
        Validity::parse(self.resolver.0.load().cert.first()?)
    }

    /// Reads the files if they changed since they were last read, or could not be served then, and
    /// serves what they are. What cannot be served leaves the certificate that was served before,
    /// and is told in the log.
    ///
    /// Who replaces them does one after the other, so that a pair that does not fit is logged only
    /// when it is the same the next time, unless it was `requested`.
    pub(super) fn refresh(&self, requested: bool) {
        let mut last = self
            .last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let versions = self.files.versions();
        if !requested && last.failure.is_none() && versions == last.versions {
            return;
        }
        let cert = self.files.cert.display();
        match self.files.load(&self.provider) {
            Ok(pair) => {
                let is_new = pair.cert != self.resolver.0.load().cert;
                self.resolver.0.store(Arc::new(pair));
                *last = LastRead::well(versions);
                if is_new || requested {
                    info!(%cert, "new connections get the certificate as it is now");
                }
            }
            Err(error) => {
                let failure = Some(error.to_string());
                let is_same = last.failure == failure && last.versions == versions;
                let logged = is_same && last.logged;
                let warns = requested || is_same && !logged;
                if warns {
                    warn!("{error}; the certificate that was served before goes on to be");
                }
                *last = LastRead {
                    versions,
                    failure,
                    logged: logged || warns,
                };
            }
        }
    }
}
