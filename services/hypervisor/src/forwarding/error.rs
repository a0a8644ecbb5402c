//! Why machines do not reach each other.

use crate::pem::PemError;
use std::io;
use std::path::PathBuf;

/// Why this machine has no identity that others would know.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file has not what it should.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The certificate is of no machine.
    #[error(
        "cluster.cert: {} names no machine; have it issued with one URI, spiffe://<your domain>/machine/{machine}, as its subject's alternative name",
        path.display()
    )]
    NoName { path: PathBuf, machine: String },
    /// The certificate is another machine's.
    #[error(
        "cluster.cert: {} is of the machine {other}, and cluster.machine says {machine}; give each machine its own",
        path.display()
    )]
    OtherName {
        path: PathBuf,
        other: String,
        machine: String,
    },
    /// They do not belong together, or cannot be used.
    #[error("cluster.cert, cluster.key and cluster.ca cannot be used: {0}")]
    Tls(String),
}

impl From<rustls::Error> for IdentityError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error.to_string())
    }
}

/// Why a request was not carried to another machine.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// It cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] io::Error),
    /// It went away in the midst of it.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}
