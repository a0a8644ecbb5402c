//! Invites: links that let one person sign up once.

use super::client;
use super::confirm::Confirmed;
use super::token::Token;
use super::{Auth, AuthError, User};
use crate::config::Registration;
use crate::store::{InviteRow, Store};
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// A link that lets one person sign up once.
#[derive(Debug, Clone, Serialize)]
pub struct Invite {
    /// Where the person opens it; it holds the secret.
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Auth {
    /// A new invite by the operator; for an `admin` or an ordinary user.
    ///
    /// # Errors
    /// [`AuthError::RegistrationClosed`], as it could not be used; the store's.
    pub async fn invite(self: &Arc<Self>, admin: bool) -> Result<Invite, AuthError> {
        self.run(move |auth, store| {
            let invite = auth.new_invite(store, admin, None)?;
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
            let invite = auth.new_invite(store, false, Some(admin.id))?;
            by.audit_event(store, "invited", admin.id, "");
            Ok(invite)
        })
        .await
    }

    fn new_invite(
        &self,
        store: &dyn Store,
        admin: bool,
        created_by: Option<Uuid>,
    ) -> Result<Invite, AuthError> {
        if self.registration == Registration::Closed {
            return Err(AuthError::RegistrationClosed);
        }
        let token = Token::random()?;
        let now = Timestamp::now();
        let row = InviteRow {
            hash: token.hash(),
            admin,
            created_by,
            created_at: now,
            expires_at: now.after(self.invite_lasts),
        };
        store.add_invite(&row)?;
        let mut url = self.page_url("/register");
        url.set_query(Some(&format!("invite={}", token.reveal())));
        Ok(Invite {
            url: url.into(),
            expires_at: row.expires_at,
        })
    }
}
