//! Recovery codes: a way in for who lost every passkey, which leads only to adding one.

use super::client::Client;
use super::confirm::Confirmed;
use super::response::with_cookies;
use super::{Auth, AuthError, codes, validation};
use crate::error::Payload;
use crate::store::{SessionKind, UserRow};
use crate::timestamp::Timestamp;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Deserialize)]
pub(super) struct Attempt {
    username: String,
    code: String,
}

/// An unknown user goes the same way as a wrong code, to the last query: the time and the
/// answer must not tell one from the other.
pub(super) async fn recover(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Payload(attempt): Payload<Attempt>,
) -> Result<Response, AuthError> {
    let recovered = auth.run(move |auth, store| {
        let username = validation::username(&attempt.username)?;
        auth.limits.account(&username)?;
        let code = codes::hash(&attempt.code);
        let known = store.user_by_name(&username)?;
        let user_id = known.as_ref().map(|user| user.id);
        let user = known.unwrap_or_else(|| nobody(&username));
        let kind = SessionKind::Recovery;
        let opened = auth.open_session(store, &client, &user, kind, None, |session, replaces| {
            if store.use_recovery_code(&code, session, replaces)? {
                Ok(())
            } else {
                Err(AuthError::RecoveryFailed)
            }
        });
        if opened.is_ok() {
            client.audit_by(store, "recovered", &user, "");
        } else {
            client.audit_attempt(store, "recovery_failed", user_id, "");
        }
        let response = Json(json!({ "username": username }));
        Ok(with_cookies([opened?], response))
    });
    auth.login_failures.counted(recovered.await)
}

/// A user that has no codes, because it is nobody's.
fn nobody(username: &str) -> UserRow {
    UserRow {
        id: Uuid::nil(),
        username: username.to_owned(),
        display_name: username.to_owned(),
        admin: false,
        created_at: Timestamp::now(),
        disabled_at: None,
    }
}

impl Auth {
    /// The act `renew_recovery_codes`: new codes in the place of the old ones.
    pub(crate) async fn renew_recovery_codes(
        self: &Arc<Self>,
        by: Confirmed,
    ) -> Result<Vec<String>, AuthError> {
        self.run(move |auth, store| {
            let user = auth.still(store, &by.session)?.id;
            let codes = codes::set()?;
            let notice = by.notice("recovery_codes_renewed", "");
            store.replace_recovery_codes(user, &codes::hashes(&codes), &notice)?;
            by.audit_event(store, "recovery_codes_renewed", "");
            Ok(codes)
        })
        .await
    }
}
