//! Why there is no certificate to serve. Each sentence names the file, and none has a byte of it.

use crate::pem::RootsError;
use std::io;
use std::path::PathBuf;

/// Why there is no certificate to serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("{key}: {} cannot be read ({source}); give a PEM file that this program's user may read", path.display())]
    Unreadable {
        /// `tls.cert` or `tls.key`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not PEM.
    #[error("{key}: {} is no PEM file ({reason}); give one that begins with `-----BEGIN`", path.display())]
    NotPem {
        /// `tls.cert` or `tls.key`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Where it stops to be one.
        reason: &'static str,
    },
    /// The file is PEM of something else.
    #[error("{key}: {} has no {wanted} in it; {mend}", path.display())]
    Missing {
        /// `tls.cert` or `tls.key`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should have.
        wanted: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// The two do not belong together, or are of a kind that nothing can be done with.
    #[error("tls.cert, tls.key: {} and {} {problem}", cert.display(), key.display())]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong, and the mend.
        problem: String,
    },
    /// What is to be kept has no place.
    #[error("tls.acme.dir: {} cannot be written ({source}); give a folder of this program's user", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The roots of `tls.acme.ca_file` cannot be read.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// What no file has to do with.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}
