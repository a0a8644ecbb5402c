//! PEM files, and the certificates in them that others are known by. No sentence has a byte of a file.

use rustls::RootCertStore;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::path::{Path, PathBuf};
use tracing::warn;

/// Why a file has not what it should.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// The file cannot be read.
    #[error("{key}: {} cannot be read ({source}); give a PEM file that this program's user may read", path.display())]
    Unreadable {
        key: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The file is not PEM.
    #[error("{key}: {} is no PEM file ({reason}); give one that begins with `-----BEGIN`", path.display())]
    NotPem {
        key: &'static str,
        path: PathBuf,
        reason: &'static str,
    },
    /// The file is PEM of something else.
    #[error("{key}: {} has no {wanted} in it; {mend}", path.display())]
    Missing {
        key: &'static str,
        path: PathBuf,
        wanted: &'static str,
        mend: &'static str,
    },
}

/// The certificate in a PEM file, which `key` of the configuration names, and those of its issuers.
pub(crate) fn chain_of(
    key: &'static str,
    file: &Path,
) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let found = read(key, file)?;
    if found.is_empty() {
        return Err(PemError::Missing {
            key,
            path: file.to_owned(),
            wanted: "certificate",
            mend: "give the server's certificate and then those of its issuers",
        });
    }
    Ok(found)
}

/// The private key in a PEM file, which `key` of the configuration names.
pub(crate) fn private_key_of(
    key: &'static str,
    file: &Path,
) -> Result<PrivateKeyDer<'static>, PemError> {
    let path = file.to_owned();
    PrivateKeyDer::from_pem_file(file).map_err(|error| match error {
        Error::Io(source) => PemError::Unreadable { key, path, source },
        Error::NoItemsFound => PemError::Missing {
            key,
            path,
            wanted: "private key",
            mend: "give the certificate's key, without a passphrase",
        },
        error => PemError::NotPem {
            key,
            path,
            reason: reason(&error),
        },
    })
}

/// All certificates in a PEM file.
fn read(key: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let path = || file.to_owned();
    let text = std::fs::read(file).map_err(|source| PemError::Unreadable {
        key,
        path: path(),
        source,
    })?;
    let found: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(&text).collect();
    found.map_err(|error| PemError::NotPem {
        key,
        path: path(),
        reason: reason(&error),
    })
}

/// The roots in a PEM file, which `key` of the configuration names.
pub(crate) fn roots_of(key: &'static str, file: &Path) -> Result<RootCertStore, PemError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(read(key, file)?);
    if added == 0 {
        return Err(PemError::Missing {
            key,
            path: file.to_owned(),
            wanted: "certificate",
            mend: "give the roots that the certificate of the other side leads to",
        });
    }
    Ok(roots)
}

/// The roots that this host trusts, where `key` names no others.
pub(crate) fn roots_of_system(key: &'static str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        warn!(
            "this host trusts no certificates at all; install the package ca-certificates, or set SSL_CERT_FILE or {key}"
        );
    }
    roots
}

/// What is wrong with a file's form, without a word of what is in it.
pub(crate) fn reason(error: &Error) -> &'static str {
    match error {
        Error::MissingSectionEnd { .. } => "a section has no end, so it may be cut off",
        Error::IllegalSectionStart { .. } => "a section does not begin as one does",
        Error::Base64Decode(_) => "a section is not base64",
        _ => "it cannot be understood",
    }
}
