//! Signing up: a new account with its first passkey. Never touches an account that exists.

use super::ceremony::{Ceremony, Registration};
use super::client::Client;
use super::response::with_cookies;
use super::token::Token;
use super::{Auth, AuthError, codes, validation};
use crate::config;
use crate::error::Payload;
use crate::store::{Home, InviteRow, NewAccount, SessionKind, Store, UserRow};
use crate::timestamp::Timestamp;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
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
        auth.may_come(&username, invite.as_ref())?;
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

#[derive(Deserialize)]
pub(super) struct Shown {
    invite: String,
}

/// What an invite is for, to whoever has it: its page asks, so that nobody types what is settled.
pub(super) async fn invite(
    State(auth): State<Arc<Auth>>,
    Payload(shown): Payload<Shown>,
) -> Result<Json<Value>, AuthError> {
    auth.run(move |auth, store| {
        let invite = auth.invite_for(store, Some(&shown.invite))?;
        let invite = invite.ok_or(AuthError::InviteInvalid)?;
        Ok(Json(json!({
            "username": invite.username,
            "workspace": invite.workspace,
            "admin": invite.admin,
            "expires_at": invite.expires_at,
        })))
    })
    .await
}

impl Auth {
    /// Whether somebody of this name may come with this invite.
    fn may_come(&self, username: &str, invite: Option<&InviteRow>) -> Result<(), AuthError> {
        let name = invite.and_then(|invite| invite.username.as_deref());
        if let Some(name) = name.filter(|name| *name != username) {
            return Err(AuthError::InviteBound(name.to_owned()));
        }
        match self.placement.get() {
            Some(placement) => Ok(placement.check(username, invite)?),
            None => Ok(()),
        }
    }

    /// Writes an account, and what its user gets with it.
    fn write_account(&self, store: &dyn Store, account: NewAccount) -> Result<(), AuthError> {
        let Some(placement) = self.placement.get() else {
            store.create_account(&account)?;
            return Ok(());
        };
        let invite = match &account.invite {
            Some(hash) => {
                let found = store.invite(hash, account.user.created_at)?;
                Some(found.ok_or(AuthError::InviteInvalid)?)
            }
            None => None,
        };
        Ok(placement.place(store, account, invite.as_ref())?)
    }

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
            disabled_at: None,
        };
        let passkey = verified.belongs_to(user.id, "Passkey 1".into());
        let recovery_codes = codes::set()?;
        let kind = SessionKind::Full;
        let opens = Some(passkey.id);
        let cookie =
            auth.open_session(store, &client, &user, kind, opens, |session, replaces| {
                let account = NewAccount {
                    user: user.clone(),
                    passkey,
                    recovery_codes: codes::hashes(&recovery_codes),
                    invite: begun.invite,
                    session: session.clone(),
                    replaces,
                    home: Home::None,
                };
                auth.write_account(store, account)
            })?;
        client.audit_by(store, "registered", &user, &user.username);
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
