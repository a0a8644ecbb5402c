//! One-time links for who has lost every passkey.

use super::actor::Actor;
use super::people::{known, of_user};
use super::{Auth, AuthError, client, codes, confirm};
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// A recovery code that an admin or the operator hands to a user.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RecoveryCode {
    /// Whom it is for.
    pub username: String,
    /// The secret; it works once.
    pub code: String,
    /// Where it is used. The code is behind the `#`, which browsers send to no server.
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Auth {
    /// The act `recovery_link`: it lasts as long as an invite.
    ///
    /// # Errors
    /// [`AuthError::NoUser`], [`AuthError::UserDisabled`]; the store's.
    pub(crate) async fn recovery_link(
        self: &Arc<Self>,
        by: Actor,
        id: Uuid,
    ) -> Result<RecoveryCode, AuthError> {
        let caller = self.recheck(&by).await?;
        self.run(move |auth, store| {
            let username = known(store.user_by_id(id)?, &id)?.username;
            let code = codes::random()?;
            let (event, detail) = ("recovery_code_issued", format!("by {}", caller.name()));
            let notice = confirm::notice(event, &detail, None);
            let expires_at = notice.at.after(auth.invite_lasts);
            let by_id = caller.user().map(|user| user.id);
            store
                .add_recovery_code(by_id, id, &codes::hash(&code), expires_at, &notice)
                .map_err(|error| of_user(error, id))?;
            client::audit(store, &by.audit_row(event, Some(id), detail));
            let mut url = auth.page_url("/recovery");
            url.query_pairs_mut().append_pair("username", &username);
            url.set_fragment(Some(&code));
            Ok(RecoveryCode {
                username,
                code,
                url: url.into(),
                expires_at,
            })
        })
        .await
    }
}
