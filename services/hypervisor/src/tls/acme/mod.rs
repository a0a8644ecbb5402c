//! Certificates that this program gets by itself: by ACME (RFC 8555), with which a name is proven
//! ours in a TLS handshake at port 443 (TLS-ALPN-01, RFC 8737).
//!
//! The gateway's own hosts have theirs ordered at the start; each other host that there is gets one
//! when the first visitor asks for it, who waits. A host that there is not costs nothing. `served`
//! is what handshakes look at, `ledger` which orders there are and when one is next, `order` one
//! order, `work` brings them together, and `folder` keeps what must outlive a restart.

mod attempts;
mod authority;
mod challenge;
mod folder;
mod handshake;
mod http;
mod issued;
mod ledger;
mod order;
mod problem;
mod report;
mod served;
mod work;

pub use served::Hosts;

use super::{TlsError, server_config};
use authority::Authority;
use challenge::Challenges;
use folder::Folder;
use ledger::Ledger;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use served::Served;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What an operator says of it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL of the authority's directory.
    pub directory: String,
    /// Where the authority writes to about the account.
    pub email: Option<String>,
    /// Where account, keys and certificates are kept.
    pub dir: PathBuf,
    /// The roots by which the authority's own certificate is trusted; by default the system's.
    pub ca_file: Option<PathBuf>,
    /// The gateway's own hosts; a client that names none gets the certificate of the first.
    pub own_hosts: Vec<String>,
}

/// The certificates, and what gets and renews them.
pub struct Acme {
    authority: Authority,
    served: Arc<Served>,
    challenges: Challenges,
    folder: Folder,
    ledger: Mutex<Ledger>,
    /// There is something to order.
    wake: Notify,
    /// Orders that failed since the start.
    failures: AtomicU64,
    config: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
}

impl Acme {
    /// Takes up what the folder has. Nothing is asked of the authority yet.
    ///
    /// # Errors
    /// The folder cannot be used, or the roots cannot be read.
    pub(super) fn open(
        settings: &Settings,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let folder = Folder::open(&settings.dir, &settings.directory)?;
        let served = Arc::new(Served::new(settings.own_hosts.clone()));
        for (name, certificate) in folder.certificates(&provider) {
            served.put(&name, certificate);
        }
        let ledger = Ledger::new(folder.attempts());
        Ok(Self {
            authority: Authority::open(settings, provider.clone())?,
            config: server_config(&provider, served.clone())?,
            served,
            challenges: Challenges::default(),
            folder,
            ledger: Mutex::new(ledger),
            wake: Notify::new(),
            failures: AtomicU64::new(0),
            provider,
        })
    }

    /// From now on the hosts for which `hosts` is true have certificates, too.
    pub fn serve_hosts(&self, hosts: Hosts) {
        self.served.set_hosts(hosts);
    }

    /// Tries everything that failed again, without waiting for its time.
    pub(super) fn retry(&self) {
        self.ledger().forget_failures();
        self.wake.notify_one();
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
