//! What outlives a restart, behind narrow traits so that a distributed engine can stand in
//! `SQLite`'s place.
//!
//! Every call blocks until its change is on disk. Async code goes through a [`Handle`]. A
//! change that must be whole is one method, never two calls. Each fails as its engine does;
//! what else one is refused for is said with it.
#![expect(clippy::missing_errors_doc, reason = "it is said above")]

mod accounts;
mod archives;
mod changes;
mod error;
mod handle;
mod invites;
mod lock;
mod machines;
mod moves;
mod people;
mod postgres;
mod response;
mod rows;
mod sql;
mod sqlite;
mod tokens;
mod workspaces;

pub use accounts::{
    AccountStore, AuditStore, GrantStore, NoticeStore, PasskeyStore, RecoveryStore, SessionStore,
};
pub use archives::{ArchiveRow, ArchiveState, ArchiveStore, Removal, Revival};
pub use changes::{
    ChangeKind, ChangeOutcome, ChangeRow, ChangeStore, Commit, NewChange, PinnedReleases,
    StoppedRow,
};
pub use error::{Conflict, StoreError};
pub use handle::Handle;
pub(crate) use invites::whom;
pub use invites::{Invitation, InviteRow, InviteState, InviteStore};
pub use lock::Lock;
pub use machines::{Capacity, Changed, Changes, Lease, MachineRow, MachineStore, News, Revision};
pub use moves::{CommitMove, MoveRow, MoveState, MoveStore, NewMove};
pub use people::{PeopleStore, UserChange};
pub use rows::{
    Account, AuditEntry, AuditRow, GrantRow, Hash, Home, Move, NewAccount, NewNotice, NewWorkspace,
    NoticeRow, Outcome, PasskeyRow, PasskeyUse, ProbationRow, Room, SessionKind, SessionRow,
    Settlement, UserRow, Watch, WorkspaceRow,
};
pub use sql::Database;
pub use sqlite::{backup, restore};
pub use tokens::{TokenRow, TokenStore};
pub use workspaces::{MemberStore, Placed, ProbationStore, WorkspaceStore};

/// All that the hypervisor keeps.
pub trait Store:
    AccountStore
    + PeopleStore
    + InviteStore
    + PasskeyStore
    + RecoveryStore
    + SessionStore
    + GrantStore
    + TokenStore
    + WorkspaceStore
    + MemberStore
    + ProbationStore
    + ChangeStore
    + ArchiveStore
    + MoveStore
    + AuditStore
    + NoticeStore
    + MachineStore
    + MetaStore
    + Send
    + Sync
{
}

/// What the store knows about the installation.
pub trait MetaStore {
    /// The value of `key`, which is `value` from now on if there was none.
    fn get_or_insert_meta(&self, key: &str, value: &str) -> Result<String, StoreError>;

    /// Sets the value of `key`.
    fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError>;

    /// Finds out whether the store can be written, by writing.
    fn check(&self) -> Result<(), StoreError>;

    /// Makes so much room that thousands of log-ins and swaps can be written on a disk that is full
    /// by then. Without a write in between, it costs nothing of the kind again.
    fn keep_room(&self) -> Result<(), StoreError>;

    /// What it is kept in: `sqlite` or `postgresql`.
    fn engine(&self) -> &'static str;

    /// How many calls failed because something is wrong with the store.
    fn errors(&self) -> u64;
}
