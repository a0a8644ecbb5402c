//! What the operator's commands ask for.

use super::client::audit_event;
use super::{Auth, AuthError, codes, validation};
use crate::store::{Account, Store, UserRow};
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// A recovery code that the operator hands to a user.
#[derive(Debug, Clone, Serialize)]
pub struct RecoveryCode {
    /// Whom it is for.
    pub username: String,
    /// The secret; it works once.
    pub code: String,
    /// Where it is used.
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Auth {
    /// Every user, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn users(self: &Arc<Self>) -> Result<Vec<Account>, AuthError> {
        self.run(|_, store| Ok(store.accounts(Timestamp::now())?))
            .await
    }

    /// Writes to the audit log what someone did to a user's things, such as their sandboxes;
    /// no address means the operator.
    pub async fn audit(
        self: &Arc<Self>,
        event: &'static str,
        user: Option<Uuid>,
        address: Option<IpAddr>,
        detail: String,
    ) {
        let address = address.map(|address| address.to_string());
        let noted = self.run(move |_, store| {
            audit_event(store, event, user, address, detail);
            Ok(())
        });
        if let Err(error) = noted.await {
            tracing::error!(%error, event, "an event is missing from the audit log");
        }
    }

    /// A one-time recovery code for a user who has none left; it lasts as long as an invite.
    ///
    /// # Errors
    /// [`AuthError::NoUser`]; the store's.
    pub async fn recovery_code_for(
        self: &Arc<Self>,
        username: &str,
    ) -> Result<RecoveryCode, AuthError> {
        let username = username.to_owned();
        self.run(move |auth, store| {
            let user = find(store, &username)?;
            let code = codes::random()?;
            let now = Timestamp::now();
            let expires_at = now.after(auth.invite_lasts);
            store.add_recovery_code(user.id, &codes::hash(&code), now, expires_at)?;
            let detail = "by the operator".to_owned();
            audit_event(store, "recovery_code_issued", Some(user.id), None, detail);
            Ok(RecoveryCode {
                username: user.username,
                code,
                url: auth.page_url("/recovery").into(),
                expires_at,
            })
        })
        .await
    }
}

fn find(store: &dyn Store, username: &str) -> Result<UserRow, AuthError> {
    let user = store.user_by_name(&validation::username(username)?)?;
    user.ok_or_else(|| AuthError::NoUser(username.to_owned()))
}
