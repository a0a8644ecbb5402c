//! PEM files, and the certificates in them that others are known by. No sentence has a byte of a file.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};
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

/// The roots in a PEM file, which `key` of the configuration names.
pub(crate) fn roots_of(key: &'static str, file: &Path) -> Result<RootCertStore, PemError> {
    let path = || file.to_owned();
    let text = std::fs::read(file).map_err(|source| PemError::Unreadable {
        key,
        path: path(),
        source,
    })?;
    let found: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| PemError::NotPem {
        key,
        path: path(),
        reason: reason(&error),
    })?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        return Err(PemError::Missing {
            key,
            path: path(),
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
