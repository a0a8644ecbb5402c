//! Why a sandbox gave no response, or broke one off.

use std::error::Error;
use std::io;

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("{0}")]
    Connect(io::Error),
    #[error("{0}")]
    Exchange(hyper::Error),
}

/// What lies at the bottom of an error, which is what people know by name.
pub(super) fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}
