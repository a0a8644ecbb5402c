//! What is kept of invites, which let people in.

use super::{AuditRow, Hash, StoreError};
use crate::timestamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// Its public name.
    pub id: Uuid,
    /// The hash of its token.
    pub hash: Hash,
    /// Whether it makes an admin.
    pub admin: bool,
    /// The (normalised) name of the one person whom it lets in, if not anybody.
    pub username: Option<String>,
    /// The workspace that it leads to; without one, the person gets their own.
    pub workspace: Option<String>,
    /// The admin who made it; none for the operator.
    pub created_by: Option<Uuid>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// An invite, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invitation {
    /// Its public name.
    pub id: Uuid,
    /// The name of the one person whom it lets in, if not anybody.
    pub username: Option<String>,
    /// The workspace that it leads to; without one, the person gets their own.
    pub workspace: Option<String>,
    /// Whether it makes an admin.
    pub admin: bool,
    /// The name of the admin who made it; none for the operator.
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When somebody came with it.
    pub used_at: Option<Timestamp>,
    /// Their name; none if they are gone.
    pub used_by: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Whether an invite is good, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InviteState {
    /// It is good.
    Open,
    /// Somebody came with it.
    Used,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl Invitation {
    /// What it is at `now`.
    pub fn state(&self, now: Timestamp) -> InviteState {
        if self.used_at.is_some() {
            InviteState::Used
        } else if self.revoked_at.is_some() {
            InviteState::Revoked
        } else if self.expires_at <= now {
            InviteState::Expired
        } else {
            InviteState::Open
        }
    }

    /// Whom it lets in.
    pub fn whom(&self) -> String {
        whom(
            self.username.as_deref(),
            self.admin,
            self.workspace.as_deref(),
        )
    }
}

/// Whom an invite lets in, for people.
pub(crate) fn whom(username: Option<&str>, admin: bool, workspace: Option<&str>) -> String {
    let whom = username.unwrap_or("anybody");
    let role = if admin { " as an admin" } else { "" };
    let place = workspace.map(|workspace| format!(" in the workspace {workspace}"));
    format!("{whom}{role}{}", place.unwrap_or_default())
}

/// Invites.
pub trait InviteStore {
    /// Keeps a new invite.
    ///
    /// # Errors
    /// `Conflict::NotAdmin` if whoever made it is no admin any longer; `Conflict::NoWorkspace` if
    /// there is none that it could lead to.
    fn add_invite(&self, invite: &InviteRow) -> Result<(), StoreError>;

    /// The invite of this hash, if it is still good at `now`.
    fn invite(&self, hash: &Hash, now: Timestamp) -> Result<Option<InviteRow>, StoreError>;

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
}
