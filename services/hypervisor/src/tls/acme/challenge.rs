//! How a name is proven ours: the authority begins a TLS handshake by that name, for the protocol
//! `acme-tls/1`, and is shown a certificate with what it asked for in it (RFC 8737).

use arc_swap::ArcSwap;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, ServerConfig};
use std::collections::HashMap;
use std::sync::Arc;

/// The protocol of such a handshake, after which nothing is said.
const PROTOCOL: &[u8] = b"acme-tls/1";

/// What is shown by which name, while there are orders.
#[derive(Default)]
pub(super) struct Challenges(ArcSwap<HashMap<String, Arc<ServerConfig>>>);

/// A challenge that is answered while this lives.
pub(super) struct Answered<'a> {
    all: &'a Challenges,
    name: String,
}

impl Challenges {
    /// Answers this name's from now on.
    pub(super) fn answer(
        &self,
        name: &str,
        digest: &[u8],
        provider: &Arc<CryptoProvider>,
    ) -> Result<Answered<'_>, Error> {
        let config = Arc::new(config(name, digest, provider)?);
        self.change(|all| all.insert(name.to_owned(), config.clone()));
        Ok(Answered {
            all: self,
            name: name.to_owned(),
        })
    }

    /// What is shown by this name.
    pub(super) fn get(&self, name: &str) -> Option<Arc<ServerConfig>> {
        self.0.load().get(name).cloned()
    }

    fn change<T>(&self, change: impl Fn(&mut HashMap<String, Arc<ServerConfig>>) -> T) {
        self.0.rcu(|all| {
            let mut all = HashMap::clone(all);
            change(&mut all);
            all
        });
    }
}

impl Drop for Answered<'_> {
    fn drop(&mut self) {
        self.all.change(|all| all.remove(&self.name));
    }
}

/// Whether a client begins such a handshake: it speaks nothing else.
pub(super) fn is_one(hello: &ClientHello<'_>) -> bool {
    hello
        .alpn()
        .is_some_and(|mut offered| offered.next() == Some(PROTOCOL) && offered.next().is_none())
}

/// A server that shows this, and agrees to nothing else.
fn config(
    name: &str,
    digest: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Result<ServerConfig, Error> {
    let general = |error: rcgen::Error| Error::General(error.to_string());
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(general)?;
    params.distinguished_name = DistinguishedName::new();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate().map_err(general)?;
    let certificate: CertificateDer<'static> = params.self_signed(&key).map_err(general)?.into();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = provider.key_provider.load_private_key(key)?;
    // Unchecked: no check of a server's certificate knows the extension, which is critical.
    let shown = CertifiedKey::new(vec![certificate], key);
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(shown))));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
