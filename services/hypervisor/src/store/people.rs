//! What is kept of people, as admins and the operator see it and change it.

use super::{Account, AuditRow, StoreError, UserRow};
use crate::timestamp::Timestamp;
use uuid::Uuid;

/// People.
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
