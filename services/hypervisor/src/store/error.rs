//! Why the store did not do what it was asked.

use crate::pem::PemError;
use std::error::Error as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Why a call to the store failed; nothing was written then.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field is told by its name")]
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
        path: PathBuf,
        found: u32,
        known: u32,
    },
    /// A database, but somebody else's.
    #[error(
        "{}: this database is not a ChoirOS store; set store.path to a file of its own",
        path.display()
    )]
    Foreign { path: PathBuf },
    /// What is on disk cannot be read.
    #[error("the store is damaged ({0}); stop the hypervisor and restore a backup")]
    Corrupt(String),
    /// The file or its folder cannot be made or opened.
    #[error("{}: {source}; {}", path.display(), opened(source.kind()))]
    Unopened {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Another program uses the store, which only one may at a time.
    #[error(
        "the store {} is in use by {}; stop it first, and the socket that would start it again (`systemctl stop choiros-hypervisor.socket choiros-hypervisor.service`), or wait for its end",
        path.display(), if holder.is_empty() { "another program" } else { holder }
    )]
    InUse { path: PathBuf, holder: String },
    /// `SQLite` refused, such as when the disk is full.
    #[error("the store's database failed: {0}; {remedy}", remedy = remedy(.0))]
    Sqlite(rusqlite::Error),
    /// What the configuration says of PostgreSQL cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The roots that PostgreSQL's certificate leads to cannot be read.
    #[error(transparent)]
    Roots(#[from] PemError),
    /// A database, but somebody else's.
    #[error(
        "store.url: the database is not empty, and what is in it is not a ChoirOS store; name one of its own"
    )]
    ForeignDatabase,
    /// PostgreSQL refused.
    #[error("the store's database failed: {}; {}", said(.0), mend(.0))]
    Postgres(tokio_postgres::Error),
    /// PostgreSQL is not there.
    #[error(
        "the store (PostgreSQL, store.url) cannot be reached: {0}; see that its server runs and that this host may connect"
    )]
    Unreachable(String),
    /// The machine has another gateway.
    #[error(
        "the store (store.url) is in use by the gateway of {place}; stop that one first, or, if it is gone, wait {secs} seconds, by which it would have stopped by itself (several machines at once each need a cluster.machine of their own)"
    )]
    Held { place: String, secs: u64 },
    /// A machine that would take another one's workspaces.
    #[error(
        "the workspaces in the store have their data at {place}; start the gateway of that machine first, with a cluster.machine, so that they stay there"
    )]
    NotHere { place: String },
    /// A gateway that has no name among several.
    #[error(
        "the store has workspaces of several machines ({0}); set cluster.machine to which of them this one is"
    )]
    Homes(String),
    /// A store that was to be a copy of another has something in it.
    #[error("there is something in the store that is to be the copy; name one that is new")]
    Full,
    /// A copy is not what it was made from.
    #[error(
        "the copy is not the same as the store (its table `{0}` differs); remove it, and see that nobody writes to either"
    )]
    Differs(&'static str),
    /// What is in memory may not be gone by any longer.
    #[error(
        "the store (PostgreSQL, store.url) was out of reach for longer than this gateway may go on without it; see that its server runs and that this host may connect"
    )]
    Lapsed,
    /// The machine has another gateway by now.
    #[error(
        "another gateway has taken this one's place in the store; restart this one if it is to have it"
    )]
    Replaced,
    /// The answer of PostgreSQL was lost.
    #[error(
        "it is not known whether it was done, for PostgreSQL is gone since; look, and repeat it if it was not"
    )]
    Undecided,
    /// The work was broken off by a shutdown or a panic.
    #[error("the store's work was broken off; try again")]
    Interrupted,
}

/// A change that does not fit what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum Conflict {
    #[error("the username is taken")]
    Username,
    #[error("the passkey is known already")]
    Passkey,
    #[error("the invite is no longer good")]
    Invite,
    #[error("this is the last passkey")]
    LastPasskey,
    #[error("a later use of this passkey is known")]
    Counter,
    #[error("the session has ended")]
    Session,
    #[error("the user has as many tokens as there may be")]
    Tokens,
    #[error("the user is gone or disabled")]
    NoUser,
    #[error("there is a workspace of this name")]
    Workspace,
    #[error("there is no workspace of this name")]
    NoWorkspace,
    #[error("the user is no member of this workspace, or is one already")]
    Member,
    #[error("no slot is free")]
    NoSlot,
    #[error("the generation has changed")]
    Generation,
    #[error("this is the last admin who may log in; make another one first")]
    LastAdmin,
    #[error("there is no such archive, or it is being made, restored or deleted")]
    Archive,
    #[error(
        "the workspace is on its way to another machine, or was not put away after the last time"
    )]
    Move,
    #[error("the user is disabled")]
    Disabled,
    #[error("whoever wants it is no admin any longer")]
    NotAdmin,
}

impl StoreError {
    /// Whether something is wrong with the store, and not with what it was asked.
    pub(super) fn is_fault(&self) -> bool {
        match self {
            Self::Conflict(_) => false,
            Self::Sqlite(error) => {
                error.sqlite_error_code() != Some(rusqlite::ErrorCode::ConstraintViolation)
            }
            _ => true,
        }
    }

    /// Whether the connection is of no more use: what PostgreSQL itself refuses leaves it as it was.
    pub(super) const fn breaks_connection(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Lapsed)
    }

    /// What the system said of the file at `path`.
    pub(super) fn unopened(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unopened {
            path: path.clone(),
            source,
        }
    }
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

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        if error.as_db_error().is_none() || ends_connection(&error) {
            return Self::Unreachable(said(&error));
        }
        Self::Postgres(error)
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            // Whatever it is, no connection was had.
            deadpool_postgres::PoolError::Backend(error) => Self::Unreachable(said(&error)),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

/// Whether the server ends the connection with that, or had none to give: classes 08 and 57P of its
/// codes, and 53 of its resources.
fn ends_connection(error: &tokio_postgres::Error) -> bool {
    let code = error.code().map(tokio_postgres::error::SqlState::code);
    code.is_some_and(|code| ["08", "57P", "53"].iter().any(|it| code.starts_with(it)))
}

/// How what the server says is mended.
fn mend(error: &tokio_postgres::Error) -> &'static str {
    match error.code().map(tokio_postgres::error::SqlState::code) {
        Some("57014" | "55P03") => {
            "see what keeps its server busy, or raise store.timeout_secs, and try again"
        }
        Some("25006") => "it is a standby; name the primary in store.url",
        Some("42501") => "have the user of store.url own the database",
        _ => "look at the log of its server",
    }
}

/// What the server said, or why it could not.
fn said(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// How a file that cannot be made or opened is mended.
fn opened(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on its disk",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "let this user write there, or give another path (for the store: store.path)"
        }
        _ => "mend that, or give another path (for the store: store.path)",
    }
}

/// How what `SQLite` says is mended. The gateway goes on by itself then.
fn remedy(error: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode as E;
    match error.sqlite_error_code() {
        Some(E::DiskFull) => "make room on its disk",
        Some(E::ReadOnly | E::PermissionDenied | E::CannotOpen) => {
            "let the gateway's user write the store's file and its folder"
        }
        Some(E::DatabaseBusy | E::DatabaseLocked | E::FileLockingProtocolFailed) => {
            "end what holds it, such as a `sqlite3` shell, and try again"
        }
        Some(E::SystemIoFailure) => "look whether its disk is full or broken (`df`, `dmesg`)",
        _ => "look at the log, and restore a backup if it stays so",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn each_failure_of_the_disk_says_its_mend() {
        for (code, remedy) in [
            (ffi::SQLITE_FULL, "make room"),
            (ffi::SQLITE_READONLY, "write the store's file"),
            (ffi::SQLITE_CANTOPEN, "write the store's file"),
            (ffi::SQLITE_BUSY, "end what holds it"),
            (ffi::SQLITE_IOERR, "full or broken"),
        ] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let said = StoreError::from(failure).to_string();
            assert!(said.contains(remedy), "{said}");
        }
        for (kind, remedy) in [
            (ErrorKind::StorageFull, "make room"),
            (ErrorKind::PermissionDenied, "this user"),
            (ErrorKind::NotADirectory, "another path"),
        ] {
            let said = StoreError::unopened(Path::new("/x"))(kind.into()).to_string();
            assert!(said.contains(remedy), "{said}");
        }
    }
}
