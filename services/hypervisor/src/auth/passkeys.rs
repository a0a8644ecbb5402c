//! One's own passkeys.

use super::ceremony::{AddPasskey, Ceremony};
use super::client::{Client, audit};
use super::confirm::{Confirmed, notice};
use super::response::with_cookies;
use super::{Auth, AuthError, Session, validation};
use crate::error::Payload;
use crate::store::{PasskeyRow, Store};
use crate::timestamp::Timestamp;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use serde::Serialize;
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

impl Auth {
    /// Options for a browser's `create()` of one more passkey of this session's user, and the cookie
    /// that may finish it.
    fn begin_passkey(
        &self,
        store: &dyn Store,
        client: &Client,
        session: &Session,
        name: Option<&str>,
        by: Option<(Uuid, String)>,
    ) -> Result<(Value, HeaderValue), AuthError> {
        let user = &session.user;
        let known = store.passkeys_of(user.id)?;
        let default = format!("Passkey {}", known.len() + 1);
        let name = validation::label(name, &default)?;
        let known = known.into_iter().map(|key| key.credential_id).collect();
        let (options, state) =
            self.keys
                .start_registration(user.id, &user.username, &user.display_name, known)?;
        let addition = AddPasskey {
            session: session.id,
            name,
            by,
            state,
        };
        Ok((options, self.begin(client, Ceremony::AddPasskey(addition))?))
    }

    /// The same for a session from a recovery code, which may do that alone.
    pub(crate) async fn begin_recovery_passkey(
        self: &Arc<Self>,
        client: Client,
        name: Option<String>,
    ) -> Result<(Value, HeaderValue), AuthError> {
        self.run(move |auth, store| {
            let session = client.any()?;
            if session.is_full() {
                return Err(AuthError::PasskeyRequired("add_passkey"));
            }
            auth.begin_passkey(store, &client, session, name.as_deref(), None)
        })
        .await
    }

    /// The act `add_passkey`: the answer to a ceremony's start.
    pub(crate) async fn add_passkey(
        self: &Arc<Self>,
        by: Confirmed,
        name: Option<String>,
    ) -> Result<Response, AuthError> {
        self.run(move |auth, store| {
            auth.still(store, &by.session)?;
            let (client, session) = (&by.client, &by.session);
            let passkey = Some((by.passkey.id, by.passkey.name.clone()));
            let (options, cookie) =
                auth.begin_passkey(store, client, session, name.as_deref(), passkey)?;
            Ok(with_cookies([cookie], Json(options)))
        })
        .await
    }

    /// The act `rename_passkey`.
    pub(crate) async fn rename_passkey(
        self: &Arc<Self>,
        by: Confirmed,
        id: Uuid,
        name: String,
    ) -> Result<Value, AuthError> {
        self.run(move |auth, store| {
            let user = auth.still(store, &by.session)?.id;
            let name = passkey_name(&name)?;
            if !store.rename_passkey(user, id, &name)? {
                return Err(AuthError::NotFound("passkey"));
            }
            by.audit_event(store, "passkey_renamed", &name);
            Ok(json!({ "id": id, "name": name }))
        })
        .await
    }

    /// The act `remove_passkey`. The sessions that it opened end with it, except the one that asks.
    pub(crate) async fn remove_passkey(
        self: &Arc<Self>,
        by: Confirmed,
        id: Uuid,
    ) -> Result<(), AuthError> {
        self.run(move |auth, store| {
            let user = auth.still(store, &by.session)?.id;
            let session = by.session.id;
            let removed = find(store.passkeys_of(user)?, id)?;
            let notice = by.notice("passkey_removed", &removed.name);
            if !store.remove_passkey(user, id, session, &notice)? {
                return Err(AuthError::NotFound("passkey"));
            }
            auth.sessions
                .remove_where(|other| other.passkey_id == Some(id) && other.id != session);
            by.audit_event(store, "passkey_removed", removed.name);
            Ok(())
        })
        .await
    }

    /// The name of a passkey of this user, and whether they have another.
    pub(crate) async fn passkey_of(
        self: &Arc<Self>,
        user: Uuid,
        id: Uuid,
    ) -> Result<(String, bool), AuthError> {
        self.run(move |_, store| {
            let all = store.passkeys_of(user)?;
            let has_another = all.len() > 1;
            Ok((find(all, id)?.name, has_another))
        })
        .await
    }
}

/// The name that a passkey shall have.
pub(crate) fn passkey_name(text: &str) -> Result<String, AuthError> {
    match validation::label(Some(text), "")? {
        name if name.is_empty() => Err(AuthError::InvalidName),
        name => Ok(name),
    }
}

fn find(passkeys: Vec<PasskeyRow>, id: Uuid) -> Result<PasskeyRow, AuthError> {
    let found = passkeys.into_iter().find(|passkey| passkey.id == id);
    found.ok_or(AuthError::NotFound("passkey"))
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
        let ends = !session.is_full();
        let (by, by_name) = begun.by.unzip();
        let event = "passkey_added";
        store.add_passkey(
            &passkey,
            session.id,
            ends,
            &notice(event, &passkey.name, by),
        )?;
        let row = client.audit_row(event, &session.user, &passkey.name, by_name);
        audit(store, &row);
        let response = Json(json!({ "id": passkey.id, "name": passkey.name }));
        if !ends {
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
