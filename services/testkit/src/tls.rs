//! Certificates of a test's own authority, and connections of clients that trust it.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_RSA_SHA256, SanType,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, DEFAULT_VERSIONS, RootCertStore, SupportedProtocolVersion};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The file of a certificate's chain.
pub const CERT_FILE: &str = "cert.pem";

/// The file of its key.
pub const KEY_FILE: &str = "key.pem";

/// Kinds of keys.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// P-256.
    Ecdsa,
    /// 2048 bits.
    Rsa,
}

/// A root and what it issued to issue certificates with; clones are the same.
#[derive(Debug, Clone)]
pub struct Authority {
    root: CertificateDer<'static>,
    issuer: Arc<CertifiedIssuer<'static, KeyPair>>,
}

/// A certificate with its chain, and its key, both as PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate and its issuer's.
    pub chain: String,
    /// The key.
    pub key: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// No randomness.
    pub fn new() -> Result<Self> {
        let authority = |depth| -> Result<_> {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(depth));
            Ok((params, KeyPair::generate()?))
        };
        let (params, key) = authority(1)?;
        let root = CertifiedIssuer::self_signed(params, key)?;
        let (params, key) = authority(0)?;
        let issuer = CertifiedIssuer::signed_by(params, key, &root)?;
        Ok(Self {
            root: root.der().clone(),
            issuer: Arc::new(issuer),
        })
    }

    /// The root, PEM.
    pub fn root_pem(&self) -> String {
        let text = STANDARD.encode(&self.root);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    /// A certificate for this machine.
    ///
    /// # Errors
    /// No randomness.
    pub fn issue(&self, kind: Kind) -> Result<Issued> {
        let mut params = CertificateParams::new(vec!["localhost".into(), "*.localhost".into()])?;
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        params.subject_alt_names.push(SanType::IpAddress(address));
        let key = KeyPair::generate_for(match kind {
            Kind::Ecdsa => &PKCS_ECDSA_P256_SHA256,
            Kind::Rsa => &PKCS_RSA_SHA256,
        })?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            chain: certificate.pem() + &self.issuer.pem(),
            key: key.serialize_pem(),
        })
    }

    /// A certificate for who is called so.
    ///
    /// # Errors
    /// It is no URI, or no randomness.
    pub fn issue_for_uri(&self, uri: &str) -> Result<Issued> {
        let mut params = CertificateParams::default();
        params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            chain: certificate.pem() + &self.issuer.pem(),
            key: key.serialize_pem(),
        })
    }

    /// What a client is like that trusts this authority alone.
    pub fn trusted(&self) -> ClientConfig {
        self.trusted_over(DEFAULT_VERSIONS)
    }

    /// The same of one that speaks these versions of TLS alone.
    pub fn trusted_over(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates([self.root.clone()]);
        config(roots, versions)
    }
}

impl Issued {
    /// Writes both into a folder, as [`CERT_FILE`] and [`KEY_FILE`].
    ///
    /// # Errors
    /// The folder is not there.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::write(folder.join(CERT_FILE), &self.chain)?;
        Ok(std::fs::write(folder.join(KEY_FILE), &self.key)?)
    }
}

/// A client that trusts these, over these versions of TLS.
///
/// # Panics
/// They are none that there are.
#[expect(clippy::expect_used, reason = "both versions have suites")]
pub fn config(
    roots: RootCertStore,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .expect("suites of these versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Connects and has the handshake, as one who asks for `name`.
///
/// # Errors
/// Nobody listens, or there is no handshake in time.
pub async fn connect(
    address: SocketAddr,
    name: &'static str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.context("connect")?;
    stream.set_nodelay(true)?;
    let handshake = TlsConnector::from(config).connect(ServerName::try_from(name)?, stream);
    timeout(crate::wait::DEADLINE, handshake)
        .await
        .context("no TLS handshake in time")?
        .context("TLS handshake")
}
