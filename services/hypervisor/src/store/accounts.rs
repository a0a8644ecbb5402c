//! What is kept of people: their accounts, passkeys, codes, sessions and audit log.

use super::{
    AuditEntry, AuditRow, GrantRow, Hash, NewAccount, NewNotice, NoticeRow, PasskeyRow, PasskeyUse,
    SessionRow, StoreError, UserRow, WorkspaceRow,
};
use crate::timestamp::Timestamp;
use uuid::Uuid;

/// Users.
pub trait AccountStore {
    /// Every user, oldest first.
    fn users(&self) -> Result<Vec<UserRow>, StoreError>;

    /// How many users there are.
    fn user_count(&self) -> Result<u64, StoreError>;

    /// The user of this (normalised) name.
    fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, StoreError>;

    /// The user of this id.
    fn user_by_id(&self, id: Uuid) -> Result<Option<UserRow>, StoreError>;

    /// Writes a whole account with its workspace, uses up its invite and ends the session that it
    /// replaces; answers with the workspace as it is then.
    ///
    /// # Errors
    /// `Conflict::Username`, `Conflict::Passkey` or `Conflict::Invite`, or as for
    /// [`super::MemberStore::settle_in`], and then nothing is written.
    fn create_account(&self, account: &NewAccount) -> Result<Option<WorkspaceRow>, StoreError>;
}

/// Passkeys, and what happens when one is used.
pub trait PasskeyStore {
    /// A user's passkeys, oldest first.
    fn passkeys_of(&self, user: Uuid) -> Result<Vec<PasskeyRow>, StoreError>;

    /// The passkey with this credential id, and whose it is.
    fn passkey_by_credential(
        &self,
        credential_id: &[u8],
    ) -> Result<Option<(PasskeyRow, UserRow)>, StoreError>;

    /// Adds a passkey to its user, who is told by `notice`, in a session, which `ends` with it if it
    /// may do this only once.
    ///
    /// # Errors
    /// `Conflict::Passkey` if the credential is known already, `Conflict::Session` if the session
    /// has ended.
    fn add_passkey(
        &self,
        passkey: &PasskeyRow,
        session: Uuid,
        ends: bool,
        notice: &NewNotice,
    ) -> Result<(), StoreError>;

    /// Gives a passkey of this user another name; says whether there was one.
    fn rename_passkey(&self, user: Uuid, passkey: Uuid, name: &str) -> Result<bool, StoreError>;

    /// Removes a passkey of this user, who is told by `notice`, and the sessions that it opened,
    /// except `keep`; says whether there was one.
    ///
    /// # Errors
    /// `Conflict::LastPasskey` if the user has no other.
    fn remove_passkey(
        &self,
        user: Uuid,
        passkey: Uuid,
        keep: Uuid,
        notice: &NewNotice,
    ) -> Result<bool, StoreError>;

    /// Notes a passkey's use.
    ///
    /// # Errors
    /// `Conflict::Counter` if a later use was noted already, which means a cloned passkey.
    fn use_passkey(&self, used: &PasskeyUse) -> Result<(), StoreError>;

    /// Notes a passkey's use and opens a session with it, ending the one that it `replaces`.
    ///
    /// # Errors
    /// `Conflict::Counter` if a later use was noted already, which means a cloned passkey;
    /// `Conflict::Disabled` or `Conflict::NoUser` if its user may not log in, or is gone.
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
    fn recovery_codes_left(&self, user: Uuid, now: Timestamp) -> Result<u64, StoreError>;

    /// Puts these codes in the place of all that the user had, who is told by `notice`.
    fn replace_recovery_codes(
        &self,
        user: Uuid,
        codes: &[Hash],
        notice: &NewNotice,
    ) -> Result<(), StoreError>;

    /// Adds one code that ends by itself, in the name of the admin `by`, or the operator's; its user
    /// is told by `notice`.
    ///
    /// # Errors
    /// `Conflict::NotAdmin` if `by` is none any longer; `Conflict::Disabled` or `Conflict::NoUser` if
    /// the user may not log in, or is gone.
    fn add_recovery_code(
        &self,
        by: Option<Uuid>,
        user: Uuid,
        code: &Hash,
        expires_at: Timestamp,
        notice: &NewNotice,
    ) -> Result<(), StoreError>;

    /// Uses up a code and opens a session with it, ending the one that it `replaces`; says
    /// whether the code was good. Does the same work for a user that does not exist.
    ///
    /// # Errors
    /// `Conflict::Disabled` if the code is good, and its user may not log in; it stays good.
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
    fn session_by_token(
        &self,
        token: &Hash,
        now: Timestamp,
    ) -> Result<Option<(SessionRow, UserRow)>, StoreError>;

    /// A user's sessions that are still good at `now`, newest first.
    fn sessions_of(&self, user: Uuid, now: Timestamp) -> Result<Vec<SessionRow>, StoreError>;

    /// Ends a session; says whether there was one.
    fn remove_session(&self, session: Uuid) -> Result<bool, StoreError>;

    /// Notes when sessions were last seen, and forgets those that ended before `past`.
    fn purge_sessions(
        &self,
        seen: &[(Uuid, Timestamp)],
        now: Timestamp,
        past: Timestamp,
    ) -> Result<(), StoreError>;

    /// Has what began after `latest`, by a clock that was ahead, last no longer than if it had
    /// begun a day before: sessions, tokens, invites and the operator's recovery codes.
    fn pull_back(&self, latest: Timestamp) -> Result<(), StoreError>;
}

/// Grants, which let a session's browser in at other hosts than the gateway's. They go with it.
pub trait GrantStore {
    /// Keeps a new one, and forgets the oldest ones of this session at this host beyond `most`;
    /// answers with those.
    ///
    /// # Errors
    /// `Conflict::Session` if the session has ended.
    fn add_grant(&self, grant: &GrantRow, most: u32) -> Result<Vec<Hash>, StoreError>;

    /// The host and the session's token of the grant of this token.
    fn grant_by_token(&self, token: &Hash) -> Result<Option<(String, Hash)>, StoreError>;
}

/// The audit log.
pub trait AuditStore {
    /// Appends an event.
    fn record(&self, row: &AuditRow) -> Result<(), StoreError>;

    /// The latest so many events before the one with this id, newest first; those that concern
    /// `user`, if one is given.
    fn audit_before(
        &self,
        before: i64,
        user: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// A user's latest events, newest first.
    fn audit_of(&self, user: Uuid, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let entries = self.audit_before(i64::MAX, Some(user), limit)?;
        Ok(entries.into_iter().map(|entry| entry.row).collect())
    }

    /// The first so many events after the one with this id that happened at `since` or later,
    /// oldest first.
    fn audit_after(
        &self,
        after: i64,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// Forgets the events before `time`.
    fn purge_audit(&self, time: Timestamp) -> Result<(), StoreError>;
}

/// What people are told at their next visit.
pub trait NoticeStore {
    /// Tells every admin, but not again what they were told within a day.
    fn tell_admins(&self, notice: &NewNotice) -> Result<(), StoreError>;

    /// What whoever has this passkey has not seen yet, oldest first.
    fn notices_for(&self, passkey: Uuid) -> Result<Vec<NoticeRow>, StoreError>;

    /// Notes that they have seen those up to the one with this id.
    fn see_notices(&self, passkey: Uuid, last: i64) -> Result<(), StoreError>;
}
