//! What the operator's commands ask for.

use super::actor::Actor;
use super::client;
use super::{Auth, AuthError, codes, validation};
use crate::store::{Account, Store, UserRow};
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::sync::Arc;

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

    /// The user of this name.
    ///
    /// # Errors
    /// [`AuthError::NoUser`]; the store's.
    pub async fn user_named(self: &Arc<Self>, username: &str) -> Result<UserRow, AuthError> {
        let username = username.to_owned();
        self.run(move |_, store| find(store, &username)).await
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
            let row =
                Actor::Operator.audit_row("recovery_code_issued", Some(user.id), "by the operator");
            client::audit(store, &row);
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
