//! Invites: links that let one person sign up once.

use super::client;
use super::confirm::Confirmed;
use super::token::Token;
use super::{Auth, AuthError, User, validation};
use crate::config::Registration;
use crate::store::{InviteRow, Store};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A link that lets one person sign up once.
#[derive(Debug, Clone, Serialize)]
pub struct Invite {
    /// Its public name.
    pub id: Uuid,
    /// Where the person opens it; it holds the secret.
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whom an invite is for.
#[derive(Debug, Clone, Default, Deserialize)]
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
        self.run(move |auth, store| {
            let invite = auth.new_invite(store, new, None)?;
            client::audit_event(store, "invited", None, None, String::new());
            Ok(invite)
        })
        .await
    }

    /// Whether this user may invite others, and they could come.
    pub(crate) fn may_invite(&self, user: &User) -> Result<(), AuthError> {
        if !user.admin {
            return Err(AuthError::AdminOnly);
        }
        if self.registration == Registration::Closed {
            return Err(AuthError::RegistrationClosed);
        }
        Ok(())
    }

    /// The act `invite`: a new invite by an admin, for an ordinary user.
    pub(crate) async fn invite_by(self: &Arc<Self>, by: Confirmed) -> Result<Invite, AuthError> {
        self.run(move |auth, store| {
            let admin = auth.still(store, &by.session)?;
            auth.may_invite(&admin)?;
            let invite = auth.new_invite(store, NewInvite::default(), Some(admin.id))?;
            by.audit_event(store, "invited", admin.id, "");
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
        if self.registration == Registration::Closed {
            return Err(AuthError::RegistrationClosed);
        }
        let username = new.username.as_deref().map(validation::username);
        let lasts = new.hours.map_or(self.invite_lasts, Duration::from_hours);
        let token = Token::random()?;
        let now = Timestamp::now();
        let row = InviteRow {
            id: Uuid::new_v4(),
            hash: token.hash(),
            admin: new.admin,
            username: username.transpose()?,
            workspace: new.workspace,
            created_by,
            created_at: now,
            expires_at: now.after(lasts),
        };
        store.add_invite(&row)?;
        let mut url = self.page_url("/register");
        url.set_query(Some(&format!("invite={}", token.reveal())));
        Ok(Invite {
            id: row.id,
            url: url.into(),
            expires_at: row.expires_at,
        })
    }
}
