//! Signing up: a new account with its first passkey. Never touches an account that exists.

use super::ceremony::{Ceremony, Registration};
use super::client::Client;
use super::response::with_cookies;
use super::token::Token;
use super::{Auth, AuthError, codes, validation};
use crate::config;
use crate::error::Payload;
use crate::store::{InviteRow, NewAccount, SessionKind, Store, UserRow};
use crate::timestamp::Timestamp;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

#[derive(Deserialize)]
pub(super) struct Start {
    username: String,
    display_name: Option<String>,
    invite: Option<String>,
}

pub(super) async fn start(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Payload(form): Payload<Start>,
) -> Result<Response, AuthError> {
    auth.run(move |auth, store| {
        let invite = auth.invite_for(store, form.invite.as_deref())?;
        let username = validation::username(&form.username)?;
        let display_name = validation::label(form.display_name.as_deref(), &username)?;
        // Where accounts are not revealed, a taken name shows at the finish, to whoever came
        // with an invite and a passkey.
        if auth.reveal_accounts && store.user_by_name(&username)?.is_some() {
            return Err(AuthError::UsernameTaken);
        }
        let user_id = Uuid::new_v4();
        let (options, state) =
            auth.keys
                .start_registration(user_id, &username, &display_name, Vec::new())?;
        let registration = Registration {
            user_id,
            username,
            display_name,
            admin: invite.as_ref().is_some_and(|invite| invite.admin),
            invite: invite.map(|invite| invite.hash),
            state,
        };
        auth.began(&client, Ceremony::Register(registration), options)
    })
    .await
}

impl Auth {
    /// The invite that a registration uses up, if the policy lets it begin at all.
    fn invite_for(
        &self,
        store: &dyn Store,
        text: Option<&str>,
    ) -> Result<Option<InviteRow>, AuthError> {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        match (self.registration, text) {
            (config::Registration::Closed, _) => Err(AuthError::RegistrationClosed),
            (config::Registration::Invite, None) => Err(AuthError::InviteRequired),
            (config::Registration::Open, None) => Ok(None),
            (_, Some(text)) => {
                let token = Token::parse(text).ok_or(AuthError::InviteInvalid)?;
                let invite = store.invite(&token.hash(), Timestamp::now())?;
                invite.ok_or(AuthError::InviteInvalid).map(Some)
            }
        }
    }
}

pub(super) async fn finish(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Payload(credential): Payload<RegisterPublicKeyCredential>,
) -> Result<Response, AuthError> {
    auth.run(move |auth, store| {
        let Ceremony::Register(begun) = client.take_ceremony(auth)? else {
            return Err(AuthError::CeremonyInvalid);
        };
        let verified = auth.keys.finish_registration(&credential, &begun.state)?;
        let user = UserRow {
            id: begun.user_id,
            username: begun.username,
            display_name: begun.display_name,
            admin: begun.admin,
            created_at: Timestamp::now(),
        };
        let passkey = verified.belongs_to(user.id, "Passkey 1".into());
        let recovery_codes = codes::set()?;
        let kind = SessionKind::Full;
        let opens = Some(passkey.id);
        let cookie = auth.open_session(&client, &user, kind, opens, |session, replaces| {
            Ok(store.create_account(&NewAccount {
                user: user.clone(),
                passkey,
                recovery_codes: codes::hashes(&recovery_codes),
                invite: begun.invite,
                session: session.clone(),
                replaces,
            })?)
        })?;
        client.audit_event(store, "registered", Some(user.id), &user.username);
        let response = Json(json!({
            "user_id": user.id,
            "username": user.username,
            "recovery_codes": recovery_codes,
            "is_first_passkey": true,
        }));
        Ok(with_cookies([cookie, auth.no_ceremony()], response))
    })
    .await
}
