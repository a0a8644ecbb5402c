//! Who one is, one's sessions, and what happened to one's account.

use super::client::Client;
use super::response::with_cookies;
use super::{Auth, AuthError};
use crate::store::{AuditRow, SessionKind, SessionRow};
use crate::timestamp::Timestamp;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Has the browser forget the pages that it has of this origin, also those that it keeps for «back»:
/// the next person at it may be another one. What else it could clear is not ours alone: in
/// Chromium, cookies go for the whole registrable domain, every sandbox's host included, and at a
/// shared origin storage is the sandboxes'.
static CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// How much of the audit log a user sees.
const LATEST: u32 = 50;

pub(super) async fn me(
    State(auth): State<Arc<Auth>>,
    client: Client,
) -> Result<Json<Value>, AuthError> {
    let Some(session) = client.session.clone() else {
        return Ok(Json(json!({
            "authenticated": false,
            "registration": auth.registration,
            "reveal_accounts": auth.reveal_accounts,
        })));
    };
    auth.run(move |_, store| {
        let user = &session.user;
        Ok(Json(json!({
            "authenticated": true,
            "user_id": user.id,
            "username": user.username,
            "display_name": user.display_name,
            "admin": user.admin,
            "kind": session.kind,
            "fresh": session.is_fresh(),
            "recovery_codes_left": store.recovery_codes_left(user.id, Timestamp::now())?,
        })))
    })
    .await
}

/// Without a session there is nothing left to do, and that is no error.
pub(super) async fn log_out(
    State(auth): State<Arc<Auth>>,
    client: Client,
) -> Result<Response, AuthError> {
    auth.run(move |auth, store| {
        if let Some(session) = &client.session {
            store.remove_session(session.id)?;
            auth.sessions.remove(&session.token);
            client.audit_event(store, "logged_out", Some(session.user.id), "");
        }
        let headers = [
            (header::LOCATION, auth.page("/login")),
            (CLEAR_SITE_DATA.clone(), "\"cache\"".to_owned()),
        ];
        Ok(with_cookies(
            [auth.no_session()],
            (StatusCode::SEE_OTHER, headers),
        ))
    })
    .await
}

#[derive(Serialize)]
pub(super) struct View {
    id: Uuid,
    kind: SessionKind,
    /// Whether it is the one that asks.
    current: bool,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    address: String,
    user_agent: String,
}

/// One's sessions, newest first.
pub(super) async fn sessions(
    State(auth): State<Arc<Auth>>,
    client: Client,
) -> Result<Json<Vec<View>>, AuthError> {
    auth.run(move |auth, store| {
        let asking = client.full()?;
        let view = |row: SessionRow| View {
            id: row.id,
            kind: row.kind,
            current: row.id == asking.id,
            created_at: row.created_at,
            // What is in use is written down later.
            last_seen_at: auth
                .sessions
                .peek(&row.token)
                .map_or(row.last_seen_at, |session| session.last_seen_at()),
            address: row.address,
            user_agent: row.user_agent,
        };
        let sessions = store.sessions_of(asking.user.id, Timestamp::now())?;
        Ok(Json(sessions.into_iter().map(view).collect()))
    })
    .await
}

pub(super) async fn revoke(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Path(id): Path<String>,
) -> Result<Response, AuthError> {
    auth.run(move |auth, store| {
        let asking = client.full()?;
        let user = asking.user.id;
        let id: Option<Uuid> = id.parse().ok();
        let sessions = store.sessions_of(user, Timestamp::now())?;
        let ended = sessions.into_iter().find(|other| Some(other.id) == id);
        let ended = ended.ok_or(AuthError::NotFound("session"))?;
        store.remove_session(ended.id)?;
        auth.sessions.remove(&ended.token);
        client.audit_event(store, "session_revoked", Some(user), &ended.user_agent);
        if ended.id == asking.id {
            return Ok(with_cookies([auth.no_session()], StatusCode::NO_CONTENT));
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// One's part of the audit log, newest first.
pub(super) async fn audit(
    State(auth): State<Arc<Auth>>,
    client: Client,
) -> Result<Json<Vec<AuditRow>>, AuthError> {
    auth.run(move |_, store| {
        let user = client.full()?.user.id;
        Ok(Json(store.audit_of(user, LATEST)?))
    })
    .await
}
