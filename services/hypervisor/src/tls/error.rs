//! Why there is no certificate to serve. Each sentence names the file, and none has a byte of it.

use crate::pem::PemError;
use std::io;
use std::path::PathBuf;

/// Why there is no certificate to serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file has not what it should.
    #[error(transparent)]
    Pem(#[from] PemError),
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
    /// What no file has to do with.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}
