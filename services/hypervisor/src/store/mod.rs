//! What outlives a restart, behind narrow traits so that a distributed engine can stand in
//! `SQLite`'s place.
//!
//! Every call blocks until its change is on disk. Async code goes through a [`Handle`]. A
//! change that must be whole is one method, never two calls.

mod error;
mod folder;
mod handle;
mod lock;
mod rows;
mod sqlite;

use uuid::Uuid;

use crate::timestamp::Timestamp;
pub use error::{Conflict, StoreError};
pub use handle::Handle;
pub use lock::Lock;
pub use rows::{
    AccountCounts, AuditRow, Hash, InviteRow, Move, NewAccount, Outcome, PasskeyRow, PasskeyUse,
    ProbationRow, SessionKind, SessionRow, Settlement, UserRow, Watch, WorkspaceRow,
};
pub use sqlite::{Sqlite, backup, restore};

/// All that the hypervisor keeps.
pub trait Store:
    AccountStore
    + PasskeyStore
    + RecoveryStore
    + SessionStore
    + WorkspaceStore
    + ProbationStore
    + AuditStore
    + MetaStore
    + Send
    + Sync
{
}

impl<T> Store for T where
    T: AccountStore
        + PasskeyStore
        + RecoveryStore
        + SessionStore
        + WorkspaceStore
        + ProbationStore
        + AuditStore
        + MetaStore
        + Send
        + Sync
{
}

/// Users, and the invites that let them in.
pub trait AccountStore {
    /// Every user, oldest first.
    ///
    /// # Errors
    /// The engine's.
    fn users(&self) -> Result<Vec<UserRow>, StoreError>;

    /// How many users there are.
    ///
    /// # Errors
    /// The engine's.
    fn user_count(&self) -> Result<u64, StoreError>;

    /// Every user with what is theirs and still good at `now`, oldest first.
    ///
    /// # Errors
    /// The engine's.
    fn accounts(&self, now: Timestamp) -> Result<Vec<(UserRow, AccountCounts)>, StoreError>;

    /// The user of this (normalised) name.
    ///
    /// # Errors
    /// The engine's.
    fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, StoreError>;

    /// The user of this id.
    ///
    /// # Errors
    /// The engine's.
    fn user_by_id(&self, id: Uuid) -> Result<Option<UserRow>, StoreError>;

    /// Writes a whole account, uses up its invite and ends the session that it replaces.
    ///
    /// # Errors
    /// [`Conflict::Username`], [`Conflict::Passkey`] or [`Conflict::Invite`], and then nothing
    /// is written; the engine's.
    fn create_account(&self, account: &NewAccount) -> Result<(), StoreError>;

    /// Keeps a new invite.
    ///
    /// # Errors
    /// The engine's.
    fn add_invite(&self, invite: &InviteRow) -> Result<(), StoreError>;

    /// The invite of this hash, if it is still good at `now`.
    ///
    /// # Errors
    /// The engine's.
    fn invite(&self, hash: &Hash, now: Timestamp) -> Result<Option<InviteRow>, StoreError>;
}

/// Passkeys, and what happens when one is used.
pub trait PasskeyStore {
    /// A user's passkeys, oldest first.
    ///
    /// # Errors
    /// The engine's.
    fn passkeys_of(&self, user: Uuid) -> Result<Vec<PasskeyRow>, StoreError>;

    /// The passkey with this credential id, and whose it is.
    ///
    /// # Errors
    /// The engine's.
    fn passkey_by_credential(
        &self,
        credential_id: &[u8],
    ) -> Result<Option<(PasskeyRow, UserRow)>, StoreError>;

    /// Adds a passkey to its user, and ends the session that may do this only once.
    ///
    /// # Errors
    /// [`Conflict::Passkey`] if the credential is known already, [`Conflict::Session`] if that
    /// session has ended; the engine's.
    fn add_passkey(&self, passkey: &PasskeyRow, ends: Option<Uuid>) -> Result<(), StoreError>;

    /// Gives a passkey of this user another name; says whether there was one.
    ///
    /// # Errors
    /// The engine's.
    fn rename_passkey(&self, user: Uuid, passkey: Uuid, name: &str) -> Result<bool, StoreError>;

    /// Removes a passkey of this user and the sessions that it opened, except `keep`; says
    /// whether there was one.
    ///
    /// # Errors
    /// [`Conflict::LastPasskey`] if the user has no other; the engine's.
    fn remove_passkey(&self, user: Uuid, passkey: Uuid, keep: Uuid) -> Result<bool, StoreError>;

    /// Notes a passkey's use and opens a session with it, ending the one that it `replaces`.
    ///
    /// # Errors
    /// [`Conflict::Counter`] if a later use was noted already, which means a cloned passkey;
    /// the engine's.
    fn log_in(
        &self,
        used: &PasskeyUse,
        session: &SessionRow,
        replaces: Option<Uuid>,
    ) -> Result<(), StoreError>;
}

/// Recovery codes.
pub trait RecoveryStore {
    /// How many codes a user has left.
    ///
    /// # Errors
    /// The engine's.
    fn recovery_codes_left(&self, user: Uuid, now: Timestamp) -> Result<u64, StoreError>;

    /// Puts these codes in the place of all that the user had.
    ///
    /// # Errors
    /// The engine's.
    fn replace_recovery_codes(
        &self,
        user: Uuid,
        codes: &[Hash],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Adds one code that ends by itself.
    ///
    /// # Errors
    /// The engine's.
    fn add_recovery_code(
        &self,
        user: Uuid,
        code: &Hash,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Uses up a code and opens a session with it, ending the one that it `replaces`; says
    /// whether the code was good. Does the same work for a user that does not exist.
    ///
    /// # Errors
    /// The engine's.
    fn use_recovery_code(
        &self,
        code: &Hash,
        session: &SessionRow,
        replaces: Option<Uuid>,
    ) -> Result<bool, StoreError>;
}

/// Sessions. They are looked up in memory, and here at their first request after a start.
pub trait SessionStore {
    /// The session of this token if it is still good at `now`, and whose it is.
    ///
    /// # Errors
    /// The engine's.
    fn session_by_token(
        &self,
        token: &Hash,
        now: Timestamp,
    ) -> Result<Option<(SessionRow, UserRow)>, StoreError>;

    /// A user's sessions that are still good at `now`, newest first.
    ///
    /// # Errors
    /// The engine's.
    fn sessions_of(&self, user: Uuid, now: Timestamp) -> Result<Vec<SessionRow>, StoreError>;

    /// Ends a session; says whether there was one.
    ///
    /// # Errors
    /// The engine's.
    fn remove_session(&self, session: Uuid) -> Result<bool, StoreError>;

    /// Notes when sessions were last seen, and forgets those that ended before `past`.
    ///
    /// # Errors
    /// The engine's.
    fn purge_sessions(
        &self,
        seen: &[(Uuid, Timestamp)],
        now: Timestamp,
        past: Timestamp,
    ) -> Result<(), StoreError>;

    /// Has what began after `latest`, by a clock that was ahead, last no longer than if it had
    /// begun a day before: sessions, invites and the operator's recovery codes.
    ///
    /// # Errors
    /// The engine's.
    fn pull_back(&self, latest: Timestamp) -> Result<(), StoreError>;
}

/// Workspaces: who owns which two sandboxes, and their roles.
pub trait WorkspaceStore {
    /// Every workspace, by name.
    ///
    /// # Errors
    /// The engine's.
    fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError>;

    /// Keeps new workspaces, members included.
    ///
    /// # Errors
    /// [`Conflict::Workspace`] if a name exists, [`Conflict::Member`] if a member has another
    /// workspace, and then none is kept; the engine's.
    fn create_workspaces(&self, rows: &[WorkspaceRow]) -> Result<(), StoreError>;

    /// Makes a user a member; nothing to do if they are.
    ///
    /// # Errors
    /// [`Conflict::Member`] if the user has another workspace; the engine's.
    fn add_member(&self, workspace: &str, user: Uuid) -> Result<(), StoreError>;

    /// Who was taken out of a workspace, and is in none.
    ///
    /// # Errors
    /// The engine's.
    fn taken_out(&self) -> Result<Vec<Uuid>, StoreError>;

    /// Brings workspaces and members to what the configuration says.
    ///
    /// # Errors
    /// [`Conflict::Workspace`] or [`Conflict::Member`] if a workspace or a member is not what
    /// the change is from, and then none of it is done; the engine's.
    fn settle(&self, change: &Settlement) -> Result<(), StoreError>;

    /// Exchanges the roles' sandboxes, counts the generation up and notes what that means for a
    /// probation; answers with the result.
    ///
    /// # Errors
    /// [`Conflict::Generation`] unless there is such a workspace in just this generation; the
    /// engine's.
    fn swap(
        &self,
        workspace: &str,
        expect_generation: u64,
        watch: &Watch,
    ) -> Result<WorkspaceRow, StoreError>;
}

/// Swaps on probation, which begin and may end with a swap.
pub trait ProbationStore {
    /// Every workspace's last probation, by name.
    ///
    /// # Errors
    /// The engine's.
    fn probations(&self) -> Result<Vec<ProbationRow>, StoreError>;

    /// A workspace's last probation.
    ///
    /// # Errors
    /// The engine's.
    fn probation(&self, workspace: &str) -> Result<Option<ProbationRow>, StoreError>;

    /// Notes what came of the probation of this generation, if it is still under way.
    ///
    /// # Errors
    /// The engine's.
    fn end_probation(
        &self,
        workspace: &str,
        generation: u64,
        outcome: Outcome,
        detail: &str,
    ) -> Result<(), StoreError>;
}

/// The audit log.
pub trait AuditStore {
    /// Appends an event.
    ///
    /// # Errors
    /// The engine's.
    fn record(&self, row: &AuditRow) -> Result<(), StoreError>;

    /// A user's latest events, newest first.
    ///
    /// # Errors
    /// The engine's.
    fn audit_of(&self, user: Uuid, limit: u32) -> Result<Vec<AuditRow>, StoreError>;

    /// Forgets the events before `time`.
    ///
    /// # Errors
    /// The engine's.
    fn purge_audit(&self, time: Timestamp) -> Result<(), StoreError>;
}

/// What the store knows about the installation.
pub trait MetaStore {
    /// The value of `key`, which is `value` from now on if there was none.
    ///
    /// # Errors
    /// The engine's.
    fn get_or_insert_meta(&self, key: &str, value: &str) -> Result<String, StoreError>;

    /// Sets the value of `key`.
    ///
    /// # Errors
    /// The engine's.
    fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError>;

    /// Finds out whether the store can be written, by writing.
    ///
    /// # Errors
    /// The engine's.
    fn check(&self) -> Result<(), StoreError>;
}
