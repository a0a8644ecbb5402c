//! Invites: links that let one person sign up once.

use super::actor::{Actor, Caller};
use super::client;
use super::placement::PlacementError;
use super::token::Token;
use super::{Auth, AuthError, validation};
use crate::config::Registration;
use crate::store::{Conflict, InviteRow, Store, StoreError, whom};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// For how many hours an invite may be good: a year at most.
const HOURS: RangeInclusive<u64> = 1..=8760;

/// A link that lets one person sign up once.
#[derive(Debug, Clone, Serialize)]
pub struct Invite {
    /// Its public name.
    pub id: Uuid,
    /// Where the person opens it; it holds the secret.
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The name of the one person whom it lets in, if not anybody.
    pub username: Option<String>,
    /// The workspace that it leads to, if not to a new one.
    pub workspace: Option<String>,
    /// Whether it makes an admin.
    pub admin: bool,
}

/// Whom an invite is for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewInvite {
    /// Whether it makes an admin.
    pub admin: bool,
    /// The name of the one person whom it lets in, if not anybody.
    pub username: Option<String>,
    /// The workspace that it leads to; without one, the person gets their own.
    pub workspace: Option<String>,
    /// For how long it is good, if not as long as the configuration says.
    pub hours: Option<u64>,
}

impl Auth {
    /// A new invite by the operator.
    ///
    /// # Errors
    /// [`AuthError::RegistrationClosed`], as it could not be used; the store's.
    pub async fn invite(self: &Arc<Self>, new: NewInvite) -> Result<Invite, AuthError> {
        self.invite_by(Actor::Operator, new).await
    }

    /// Whether they may make this invite, and somebody could come with it: what is refused at once
    /// is not asked a passkey for. Answers with the username that it is bound to.
    pub(crate) async fn check_invite(
        self: &Arc<Self>,
        caller: &Caller,
        new: &NewInvite,
    ) -> Result<Option<String>, AuthError> {
        caller.require_admin()?;
        let new = new.clone();
        self.run(move |auth, store| auth.may_invite(store, &new))
            .await
    }

    fn may_invite(&self, store: &dyn Store, new: &NewInvite) -> Result<Option<String>, AuthError> {
        if self.registration == Registration::Closed {
            return Err(AuthError::RegistrationClosed);
        }
        if new.hours.is_some_and(|hours| !HOURS.contains(&hours)) {
            return Err(AuthError::InvalidHours);
        }
        let username = new.username.as_deref().map(validation::username);
        let username = username.transpose()?;
        if let Some(username) = &username
            && store.user_by_name(username)?.is_some()
        {
            return Err(AuthError::AccountExists(username.clone()));
        }
        Ok(username)
    }

    /// The act `invite`.
    pub(crate) async fn invite_by(
        self: &Arc<Self>,
        by: Actor,
        new: NewInvite,
    ) -> Result<Invite, AuthError> {
        let caller = self.recheck(&by).await?;
        caller.require_admin()?;
        self.run(move |auth, store| {
            let user = caller.user().map(|user| user.id);
            let invite = auth.new_invite(store, new, user)?;
            let (username, workspace) = (invite.username.as_deref(), invite.workspace.as_deref());
            let detail = whom(username, invite.admin, workspace);
            client::audit(store, &by.audit_row("invited", user, detail));
            Ok(invite)
        })
        .await
    }

    fn new_invite(
        &self,
        store: &dyn Store,
        new: NewInvite,
        created_by: Option<Uuid>,
    ) -> Result<Invite, AuthError> {
        let username = self.may_invite(store, &new)?;
        let lasts = new.hours.map_or(self.invite_lasts, Duration::from_hours);
        let token = Token::random()?;
        let now = Timestamp::now();
        let row = InviteRow {
            id: Uuid::new_v4(),
            hash: token.hash(),
            admin: new.admin,
            username,
            workspace: new.workspace,
            created_by,
            created_at: now,
            expires_at: now.after(lasts),
        };
        let added = store.add_invite(&row);
        added.map_err(|error| match (error, &row.workspace) {
            (StoreError::Conflict(Conflict::NoWorkspace), Some(workspace)) => {
                let workspace = workspace.clone();
                AuthError::Placement(PlacementError::NoWorkspace { workspace })
            }
            (error, _) => error.into(),
        })?;
        let mut url = self.page_url("/register");
        url.set_query(Some(&format!("invite={}", token.reveal())));
        Ok(Invite {
            id: row.id,
            url: url.into(),
            expires_at: row.expires_at,
            username: row.username,
            workspace: row.workspace,
            admin: row.admin,
        })
    }
}
