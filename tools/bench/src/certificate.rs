//! The certificate of every server that speaks TLS, and what a client needs to believe it.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What every load generator is held to, whatever a server would prefer.
pub const SUITE: &str = "TLS_AES_256_GCM_SHA384";
/// The group of the key exchange, likewise.
pub const GROUP: &str = "X25519";

/// The names that it is for: the gateway's, and those of the sandboxes.
const NAMES: &str = "subjectAltName=DNS:localhost,DNS:sandbox.localhost,DNS:sandbox-dev.localhost";

/// An ECDSA P-256 certificate, made anew; its files go with it.
#[derive(Debug)]
pub struct Certificate {
    dir: TempDir,
    client: Arc<ClientConfig>,
}

impl Certificate {
    /// Makes one.
    ///
    /// # Errors
    /// `openssl` is not there or refuses.
    pub fn new() -> Result<Self> {
        let dir = tempfile::tempdir().context("make a folder")?;
        let output = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-subj", "/CN=localhost", "-addext", NAMES])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(dir.path())
            .output()
            .context("start openssl")?;
        ensure!(
            output.status.success(),
            "openssl made no certificate: {output:?}"
        );
        let read = |name| std::fs::read(dir.path().join(name));
        std::fs::write(
            dir.path().join("both.pem"),
            [read("cert.pem")?, read("key.pem")?].concat(),
        )?;
        // OpenSSL's own file of settings, for the load generators that use it.
        let settings = format!(
            "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = default\n\
             [default]\nCiphersuites = {SUITE}\nGroups = {GROUP}\n"
        );
        std::fs::write(dir.path().join("openssl.cnf"), settings)?;
        let client = client(&dir.path().join("cert.pem"))?;
        Ok(Self {
            dir,
            client: Arc::new(client),
        })
    }

    /// The certificate's file.
    pub fn cert(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    /// The key's file.
    pub fn key(&self) -> PathBuf {
        self.dir.path().join("key.pem")
    }

    /// A file with both.
    pub fn both(&self) -> PathBuf {
        self.dir.path().join("both.pem")
    }

    /// `OPENSSL_CONF` of programs that are held to [`SUITE`] and [`GROUP`].
    pub fn openssl_conf(&self) -> PathBuf {
        self.dir.path().join("openssl.cnf")
    }

    /// A client that believes it.
    pub fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }
}

/// TLS 1.3 without resumption: each of its connections is a full handshake.
fn client(cert: &Path) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(cert)?)?;
    let all = aws_lc_rs::default_provider();
    let provider = CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384],
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        ..all
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
