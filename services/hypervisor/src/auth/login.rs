//! Logging in, with a username or with whatever passkey the browser offers.

use super::ceremony::{Ceremony, LogIn, Who};
use super::client::Client;
use super::response::with_cookies;
use super::{Auth, AuthError, validation};
use crate::error::Payload;
use crate::store::{PasskeyRow, PasskeyUse, SessionKind, Store, UserRow};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;
use webauthn_rs::prelude::{CredentialID, PublicKeyCredential};

#[derive(Deserialize)]
pub(super) struct Start {
    username: Option<String>,
}

pub(super) async fn start(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Payload(form): Payload<Start>,
) -> Result<Response, AuthError> {
    let begun = auth.run(move |auth, store| {
        let named = form.username.filter(|name| !name.trim().is_empty());
        let (who, allow) = match named {
            None => (Who::Anyone, Vec::new()),
            Some(name) => auth.named(store, &validation::username(&name)?)?,
        };
        let (options, state) = auth.keys.start_login(&allow)?;
        auth.began(&client, Ceremony::LogIn(LogIn { who, state }), options)
    });
    auth.login_failures.counted(begun.await)
}

impl Auth {
    /// Whom a username means, and which passkeys may answer. The work is the same whether
    /// there is such a user or not.
    fn named(
        &self,
        store: &dyn Store,
        username: &str,
    ) -> Result<(Who, Vec<CredentialID>), AuthError> {
        self.limits.account(username)?;
        let user = store.user_by_name(username)?.map(|user| user.id);
        let passkeys = store.passkeys_of(user.unwrap_or(Uuid::nil()))?;
        let decoys = self.keys.decoys_of(username)?;
        let allow = match user {
            None if self.reveal_accounts => {
                return Err(AuthError::NoAccount(username.to_owned()));
            }
            None => decoys,
            Some(_) => passkeys.into_iter().map(|key| key.credential_id).collect(),
        };
        Ok((Who::Named(user), allow))
    }
}

pub(super) async fn finish(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Payload(credential): Payload<PublicKeyCredential>,
) -> Result<Response, AuthError> {
    let finished = auth.run(move |auth, store| {
        let Ceremony::LogIn(begun) = client.take_ceremony(auth)? else {
            return Err(AuthError::CeremonyInvalid);
        };
        let who = begun.who;
        let found = store.passkey_by_credential(credential.get_credential_id())?;
        match auth.log_in(store, &client, begun, &credential, found.as_ref()) {
            Ok((cookie, passkey, user)) => {
                client.audit_by(store, "logged_in", user, &passkey.name);
                let response = Json(json!({ "user_id": user.id, "username": user.username }));
                Ok(with_cookies([cookie, auth.no_ceremony()], response))
            }
            Err(refusal) => {
                let tried = match who {
                    Who::Anyone => found.map(|(_, owner)| owner.id),
                    Who::Named(user) => user,
                };
                client.audit_attempt(store, "login_failed", tried, "");
                Err(refusal)
            }
        }
    });
    auth.login_failures.counted(finished.await)
}

impl Auth {
    /// Opens a session with the passkey that was found for this response, if it proves to be
    /// its user's, and that user is who should log in. Verifies first, found or not, because
    /// the time must not tell.
    fn log_in<'f>(
        &self,
        store: &dyn Store,
        client: &Client,
        begun: LogIn,
        credential: &PublicKeyCredential,
        found: Option<&'f (PasskeyRow, UserRow)>,
    ) -> Result<(HeaderValue, &'f PasskeyRow, &'f UserRow), AuthError> {
        let proved =
            self.keys
                .verify(credential, begun.state, found.map(|(passkey, _)| passkey))?;
        let (passkey, user) = found.ok_or(AuthError::LoginFailed)?;
        if !is_for(begun.who, user, credential) {
            return Err(AuthError::LoginFailed);
        }
        let kind = SessionKind::Full;
        let opens = Some(passkey.id);
        let cookie = self.open_session(store, client, user, kind, opens, |session, replaces| {
            Ok(store.log_in(&proved, session, replaces)?)
        })?;
        audit_change(store, client, user, passkey, &proved);
        Ok((cookie, passkey, user))
    }
}

/// Writes to the audit log what has changed about a passkey since its last use.
pub(super) fn audit_change(
    store: &dyn Store,
    client: &Client,
    user: &UserRow,
    passkey: &PasskeyRow,
    used: &PasskeyUse,
) {
    if let Some(change) = &used.change {
        let told = format!("{}: {change}", passkey.name);
        client.audit_by(store, "passkey_changed", user, told);
    }
}

/// Whether `owner` is who should log in, and whom the authenticator says. Who was not named
/// must be said by the authenticator.
pub(super) fn is_for(who: Who, owner: &UserRow, credential: &PublicKeyCredential) -> bool {
    // Some clients say «none» with an empty handle.
    let says = credential.get_user_unique_id();
    let says = says.filter(|handle| !handle.is_empty());
    let fits = says.map(|handle| handle == owner.id.as_bytes());
    match who {
        Who::Anyone => fits == Some(true),
        Who::Named(user) => user == Some(owner.id) && fits != Some(false),
    }
}
