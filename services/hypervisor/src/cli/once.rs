//! Links, codes and tokens: shown once, as the store has only their hashes.

use super::output::{self, WriteError};

/// What becomes of something that nobody was shown.
pub(super) struct Once {
    /// What it is, as a sentence begins with it.
    pub(super) name: &'static str,
    /// When it ends by itself.
    pub(super) ends: String,
}

impl Once {
    /// Shows `text` to whoever sits there; where nobody does, standard error is a log, and what
    /// is secret does not go there.
    pub(super) fn not_shown(&self, text: &str, error: WriteError) -> WriteError {
        let Self { name, ends } = self;
        error.of_secret(if output::is_watched() && output::instead(text).is_ok() {
            format!("{name} is good, and shown above this once")
        } else {
            format!("nobody knows {name}, and it ends by itself at {ends}; repeat the command where its output can be written")
        })
    }
}
