//! One's own passkeys.

use super::ceremony::{AddPasskey, Ceremony};
use super::client::Client;
use super::response::with_cookies;
use super::{Auth, AuthError, validation};
use crate::error::Payload;
use crate::timestamp::Timestamp;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

#[derive(Serialize)]
pub(super) struct View {
    id: Uuid,
    name: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    /// Whether it opened the session that asks.
    current: bool,
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: Option<String>,
}

pub(super) async fn list(
    State(auth): State<Arc<Auth>>,
    client: Client,
) -> Result<Json<Vec<View>>, AuthError> {
    auth.run(move |_, store| {
        let session = client.full()?;
        let passkeys = store.passkeys_of(session.user.id)?;
        let views = passkeys.into_iter().map(|passkey| View {
            id: passkey.id,
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
            current: session.passkey_id == Some(passkey.id),
        });
        Ok(Json(views.collect()))
    })
    .await
}

/// Adding one takes step-up, or a recovery code.
pub(super) async fn start(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Payload(form): Payload<Named>,
) -> Result<Response, AuthError> {
    auth.run(move |auth, store| {
        let session = client.any()?;
        if session.is_full() {
            session.require_fresh()?;
        }
        let user = &session.user;
        let known = store.passkeys_of(user.id)?;
        let default = format!("Passkey {}", known.len() + 1);
        let name = validation::label(form.name.as_deref(), &default)?;
        let known = known.into_iter().map(|key| key.credential_id).collect();
        let (options, state) =
            auth.keys
                .start_registration(user.id, &user.username, &user.display_name, known)?;
        let session = session.id;
        let addition = AddPasskey {
            session,
            name,
            state,
        };
        auth.began(&client, Ceremony::AddPasskey(addition), options)
    })
    .await
}

/// The session that began it must still be there. One from a recovery code has then done all
/// that it may, and ends.
pub(super) async fn finish(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Payload(credential): Payload<RegisterPublicKeyCredential>,
) -> Result<Response, AuthError> {
    auth.run(move |auth, store| {
        let session = client.any()?;
        let Ceremony::AddPasskey(begun) = client.take_ceremony(auth)? else {
            return Err(AuthError::CeremonyInvalid);
        };
        if begun.session != session.id {
            return Err(AuthError::CeremonyInvalid);
        }
        let verified = auth.keys.finish_registration(&credential, &begun.state)?;
        let passkey = verified.belongs_to(session.user.id, begun.name);
        let ends = (!session.is_full()).then_some(session.id);
        store.add_passkey(&passkey, ends)?;
        client.audit_event(store, "passkey_added", Some(session.user.id), &passkey.name);
        let response = Json(json!({ "id": passkey.id, "name": passkey.name }));
        if ends.is_none() {
            return Ok(with_cookies([auth.no_ceremony()], response));
        }
        auth.sessions.remove(&session.token);
        Ok(with_cookies(
            [auth.no_ceremony(), auth.no_session()],
            response,
        ))
    })
    .await
}

pub(super) async fn rename(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Path(id): Path<String>,
    Payload(form): Payload<Named>,
) -> Result<Json<Value>, AuthError> {
    auth.run(move |_, store| {
        let user = client.full()?.user.id;
        let id = parse(&id)?;
        let name = validation::label(form.name.as_deref(), "")?;
        if name.is_empty() {
            return Err(AuthError::InvalidName);
        }
        if !store.rename_passkey(user, id, &name)? {
            return Err(AuthError::NotFound("passkey"));
        }
        client.audit_event(store, "passkey_renamed", Some(user), &name);
        Ok(Json(json!({ "id": id, "name": name })))
    })
    .await
}

/// The sessions that it opened end with it, except the one that asks.
pub(super) async fn remove(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode, AuthError> {
    auth.run(move |auth, store| {
        let session = client.fresh()?;
        let user = session.user.id;
        let id = parse(&id)?;
        let passkeys = store.passkeys_of(user)?;
        let removed = passkeys.into_iter().find(|passkey| passkey.id == id);
        let removed = removed.ok_or(AuthError::NotFound("passkey"))?;
        if !store.remove_passkey(user, id, session.id)? {
            return Err(AuthError::NotFound("passkey"));
        }
        auth.sessions
            .remove_where(|other| other.passkey_id == Some(id) && other.id != session.id);
        client.audit_event(store, "passkey_removed", Some(user), removed.name);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn parse(id: &str) -> Result<Uuid, AuthError> {
    id.parse().map_err(|_| AuthError::NotFound("passkey"))
}
