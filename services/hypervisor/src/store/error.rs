//! Why the store did not do what it was asked.

use std::path::PathBuf;

/// Why a call to the store failed; nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The change does not fit what is there.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// A newer program has written this store.
    #[error(
        "{}: the store has version {found}, and this program knows versions up to {known}; run the newer program, or restore the backup from before its first start",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: u32,
        /// The latest version that this program knows.
        known: u32,
    },
    /// A database, but somebody else's.
    #[error(
        "{}: this database is not a ChoirOS store; set store.path to a file of its own",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// What is on disk cannot be read.
    #[error("the store is damaged ({0}); stop the hypervisor and restore a backup")]
    Corrupt(String),
    /// The file or its folder cannot be made or opened.
    #[error("{}: {source}; set store.path to a place that this user may write", path.display())]
    Unopened {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another program uses the store, which only one may at a time.
    #[error(
        "the store {} is in use by {}; stop it first, and the socket that would start it again (`systemctl stop hypervisor.socket hypervisor.service`), or wait for its end",
        path.display(), if holder.is_empty() { "another program" } else { holder }
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who has it.
        holder: String,
    },
    /// `SQLite` refused, such as when the disk is full.
    #[error("the store's database failed: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The work was broken off by a shutdown or a panic.
    #[error("the store's work was broken off; try again")]
    Interrupted,
}

/// A change that does not fit what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The username has an account.
    #[error("the username is taken")]
    Username,
    /// The credential belongs to an account.
    #[error("the passkey is known already")]
    Passkey,
    /// The invite is unknown, used or has ended.
    #[error("the invite is no longer good")]
    Invite,
    /// The user has no other passkey.
    #[error("this is the last passkey")]
    LastPasskey,
    /// The passkey's counter did not grow.
    #[error("a later use of this passkey is known")]
    Counter,
    /// The session that asks has ended.
    #[error("the session has ended")]
    Session,
    /// The workspace's name exists.
    #[error("there is a workspace of this name")]
    Workspace,
    /// The user has another workspace.
    #[error("the user has another workspace")]
    Member,
    /// The workspace is in another generation.
    #[error("the generation has changed")]
    Generation,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}
