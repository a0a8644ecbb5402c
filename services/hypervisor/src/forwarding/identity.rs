//! What this machine is to the others: its certificate, and whose they may be.

use super::IdentityError;
use super::name::Name;
use super::protocol::{HTTP1, HTTP2, OPERATOR};
use super::verifier::Verifier;
use crate::pem;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// Both sides of connections between machines.
pub(super) struct Identity {
    pub(super) name: Name,
    pub(super) server: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
}

impl Identity {
    /// Reads the three files.
    pub(super) fn read(
        machine: &str,
        cert: &Path,
        key: &Path,
        ca: &Path,
    ) -> Result<Self, IdentityError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let roots = Arc::new(pem::roots_of("cluster.ca", ca)?);
        let chain = pem::chain_of("cluster.cert", cert)?;
        let private = pem::private_key_of("cluster.key", key)?;
        let name = chain.first().and_then(|first| Name::of(first));
        let path = || cert.to_owned();
        let name = name.ok_or_else(|| IdentityError::NoName {
            path: path(),
            machine: machine.to_owned(),
        })?;
        if name.machine != machine {
            return Err(IdentityError::OtherName {
                path: path(),
                other: name.machine,
                machine: machine.to_owned(),
            });
        }
        let unusable = |error: VerifierBuilderError| IdentityError::Tls(error.to_string());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(unusable)?;
        let signatures =
            WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
                .build()
                .map_err(unusable)?;
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain.clone(), private.clone_key())?;
        server.alpn_protocols = [HTTP2, HTTP1, OPERATOR].map(<[u8]>::to_vec).into();
        let verifier = Verifier::new(roots, algorithms, signatures, name.domain.clone());
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(chain, private)?;
        Ok(Self {
            name,
            server: Arc::new(server),
            client: Arc::new(client),
        })
    }
}
