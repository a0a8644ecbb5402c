//! The two files, and what is made of them.

use super::TlsError;
use crate::pem;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, InconsistentKeys};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Where certificate and key are.
pub(super) struct Files {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

/// What changes whenever a file or a link on the way to it does: device, inode, size, and the times
/// of its last writing and of its last change.
pub(super) type FileVersion = Option<(u64, u64, u64, [i64; 4])>;

impl Files {
    pub(super) fn new(cert: &Path, key: &Path) -> Self {
        Self {
            cert: cert.into(),
            key: key.into(),
        }
    }

    /// The versions of both.
    pub(super) fn versions(&self) -> [FileVersion; 2] {
        [&self.cert, &self.key].map(|path| {
            let data = std::fs::metadata(path).ok()?;
            let times = [
                data.mtime(),
                data.mtime_nsec(),
                data.ctime(),
                data.ctime_nsec(),
            ];
            Some((data.dev(), data.ino(), data.len(), times))
        })
    }

    /// Reads both: a chain of certificates, and the key of the first.
    pub(super) fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = pem::chain_of("tls.cert", &self.cert)?;
        let key = pem::private_key_of("tls.key", &self.key)?;
        CertifiedKey::from_der(chain, key, provider).map_err(|error| TlsError::Pair {
            cert: self.cert.clone(),
            key: self.key.clone(),
            problem: problem(&error),
        })
    }
}

/// What is wrong with the two, without a word of what is in them.
fn problem(error: &Error) -> String {
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            "do not belong together; give the key that the first certificate was issued for".into()
        }
        Error::InvalidCertificate(CertificateError::BadEncoding) => {
            "begin with something that is no X.509 certificate; give the server's first".into()
        }
        _ => "are of a kind that is not served; give a key of ECDSA (P-256, P-384, P-521), RSA (2048 bits or more) or Ed25519".into(),
    }
}
