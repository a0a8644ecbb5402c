//! What is kept of people, as admins and the operator see it and change it.

use super::{Account, AuditEntry, AuditRow, Invitation, StoreError, UserRow};
use crate::timestamp::Timestamp;
use uuid::Uuid;

/// People, their invites, and what was done.
pub trait PeopleStore {
    /// The users whose username or display name has `search` in it, in whatever case, with what is
    /// theirs and still good at `now`, oldest first.
    fn people(&self, search: &str, now: Timestamp) -> Result<Vec<Account>, StoreError>;

    /// Changes an account in the name of the admin `by`, or the operator's, and writes `audit`;
    /// answers with the user as they were.
    ///
    /// # Errors
    /// `Conflict::NotAdmin` if `by` is none any longer, `Conflict::NoUser`, `Conflict::Username`,
    /// or `Conflict::LastAdmin` if no admin were left who may log in; then nothing is written.
    fn change_user(
        &self,
        by: Option<Uuid>,
        user: Uuid,
        change: &UserChange,
        audit: &AuditRow,
    ) -> Result<UserRow, StoreError>;

    /// Every invite, newest first.
    fn invites(&self) -> Result<Vec<Invitation>, StoreError>;

    /// The invite of this id.
    fn invite_by_id(&self, id: Uuid) -> Result<Option<Invitation>, StoreError>;

    /// Has an invite let nobody in from now on, and writes `audit`.
    ///
    /// # Errors
    /// `Conflict::NotAdmin`; `Conflict::Invite` if it is not good any longer.
    fn revoke_invite(&self, by: Option<Uuid>, id: Uuid, audit: &AuditRow)
    -> Result<(), StoreError>;

    /// The latest so many events before the one with this id, newest first; those that concern
    /// `user`, if one is given.
    fn audit_before(
        &self,
        before: i64,
        user: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// The first so many events after the one with this id that happened at `since` or later,
    /// oldest first.
    fn audit_after(
        &self,
        after: i64,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}

/// What is changed about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    /// They may not log in, and every session of theirs ends. Invites that they made, and that
    /// nobody has used, are revoked.
    Disable,
    /// They may log in.
    Enable,
    /// They have this (normalised) name.
    Rename(String),
    /// Whether they may see and do everything. Who may no longer has their invites revoked.
    SetAdmin(bool),
    /// Every session of theirs ends.
    EndSessions,
}
