//! Which names have which certificates: what a handshake looks at.

use super::issued::Issued;
use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Whether there is a host of this name, which is in lowercase.
pub type Hosts = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The names, and the certificates that there are.
pub(super) struct Served {
    own: Vec<String>,
    hosts: OnceLock<Hosts>,
    certificates: ArcSwap<HashMap<String, Arc<Issued>>>,
}

impl Served {
    pub(super) fn new(own: Vec<String>) -> Self {
        Self {
            own,
            hosts: OnceLock::new(),
            certificates: ArcSwap::default(),
        }
    }

    pub(super) fn set_hosts(&self, hosts: Hosts) {
        let _ = self.hosts.set(hosts); // There is one start.
    }

    /// The gateway's own hosts.
    pub(super) fn own(&self) -> &[String] {
        &self.own
    }

    /// Whether a host of this name is to have a certificate.
    pub(super) fn exists(&self, name: &str) -> bool {
        self.own.iter().any(|own| own == name) || self.hosts.get().is_some_and(|hosts| hosts(name))
    }

    /// The name that a client means.
    pub(super) fn meant(&self, hello: &ClientHello<'_>) -> Option<String> {
        let named = hello.server_name().map(str::to_ascii_lowercase);
        named.or_else(|| self.own.first().cloned())
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<Issued>> {
        self.certificates.load().get(name).cloned()
    }

    pub(super) fn all(&self) -> Arc<HashMap<String, Arc<Issued>>> {
        self.certificates.load_full()
    }

    /// New handshakes get this one.
    pub(super) fn put(&self, name: &str, certificate: Issued) {
        let certificate = Arc::new(certificate);
        self.certificates.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(name.to_owned(), certificate.clone());
            all
        });
    }

    pub(super) fn remove(&self, name: &str) {
        self.certificates.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.remove(name);
            all
        });
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = self.meant(&hello).filter(|name| self.exists(name))?;
        Some(self.get(&name)?.key.clone())
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
