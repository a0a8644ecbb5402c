//! Who one is, one's sessions, and what happened to one's account.

use super::actor::Actor;
use super::client::{self, Client};
use super::confirm::Confirmed;
use super::response::with_cookies;
use super::{Auth, AuthError, Session};
use crate::error::Payload;
use crate::store::{AuditRow, Hash, NoticeRow, SessionKind, SessionRow, Store, StoreError};
use crate::timestamp::Timestamp;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderName, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// Has the browser forget the pages that it has of this origin, also those that it keeps for «back»:
/// the next person at it may be another one. What else it could clear is not ours alone: in
/// Chromium, cookies go for the whole registrable domain, every sandbox's host included, and at a
/// shared origin storage is the sandboxes'.
static CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// So long whoever asks who they are waits for what the store has to add.
const PATIENCE: Duration = Duration::from_secs(1);

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
    let asking = Arc::clone(&session);
    let kept = timeout(PATIENCE, auth.run(move |_, store| kept_of(store, &asking))).await;
    let (notices, codes_left) = match kept {
        Ok(Ok((notices, codes_left))) => (notices, Some(codes_left)),
        // Who they are, this gateway knows by itself, for as long as it may go on without the store.
        _ if !auth.store.is_current() => return Err(StoreError::Lapsed.into()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store does not say what happened to an account");
            (Vec::new(), None)
        }
        Err(_) => (Vec::new(), None),
    };
    let user = &session.user;
    Ok(Json(json!({
        "authenticated": true,
        "user_id": user.id,
        "username": user.username,
        "display_name": user.display_name,
        "admin": user.admin,
        "kind": session.kind,
        "notices": notices,
        "recovery_codes_left": codes_left,
    })))
}

/// What only the store knows of an account: the notices that one has not seen, and how many recovery
/// codes are left.
fn kept_of(store: &dyn Store, session: &Session) -> Result<(Vec<NoticeRow>, u64), AuthError> {
    let notices = match session.passkey_id {
        Some(passkey) => store.notices_for(passkey)?,
        None => Vec::new(),
    };
    let codes_left = store.recovery_codes_left(session.user.id, Timestamp::now())?;
    Ok((notices, codes_left))
}

#[derive(Deserialize)]
pub(super) struct Seen {
    /// The id of the last one that was shown.
    last: i64,
}

/// Whoever uses the passkey of this session has seen these notices.
pub(super) async fn see_notices(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Payload(seen): Payload<Seen>,
) -> Result<StatusCode, AuthError> {
    auth.run(move |_, store| {
        if let Some(passkey) = client.full()?.passkey_id {
            store.see_notices(passkey, seen.last)?;
        }
        Ok(StatusCode::NO_CONTENT)
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
            auth.end_own(store, &client, session)?;
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

/// Ends the session that asks, as a log-out does. For any other it takes an act.
pub(super) async fn revoke(
    State(auth): State<Arc<Auth>>,
    client: Client,
    Path(id): Path<String>,
) -> Result<Response, AuthError> {
    auth.run(move |auth, store| {
        let asking = client.full()?;
        if id.parse() != Ok(asking.id) {
            return Err(AuthError::PasskeyRequired("end_session"));
        }
        auth.end_own(store, &client, asking)?;
        Ok(with_cookies([auth.no_session()], StatusCode::NO_CONTENT))
    })
    .await
}

impl Auth {
    /// Another session of the user of this one.
    pub(crate) async fn other_session(
        self: &Arc<Self>,
        session: &Arc<Session>,
        id: Uuid,
    ) -> Result<SessionRow, AuthError> {
        let session = Arc::clone(session);
        self.run(move |_, store| other(store, &session, id)).await
    }

    /// The act `end_session`: another session of one's own, or for the operator anybody's.
    pub(crate) async fn end_session(
        self: &Arc<Self>,
        by: Actor,
        id: Uuid,
    ) -> Result<(), AuthError> {
        self.run(move |auth, store| {
            let (by, ended) = match by {
                Actor::Operator => (Actor::Operator, anybodys(store, id)?),
                by => {
                    let by = by.confirmed()?;
                    auth.still(store, &by.session)?;
                    let ended = other(store, &by.session, id)?;
                    (Actor::Person(by), ended)
                }
            };
            auth.end(store, ended.id, &ended.token)?;
            let user = Some(ended.user_id);
            let row = by.audit_row("session_revoked", user, ended.user_agent);
            client::audit(store, &row);
            Ok(())
        })
        .await
    }

    /// The act `end_other_sessions`: how many there were.
    pub(crate) async fn end_other_sessions(
        self: &Arc<Self>,
        by: Confirmed,
    ) -> Result<usize, AuthError> {
        self.run(move |auth, store| {
            let user = auth.still(store, &by.session)?.id;
            let sessions = store.sessions_of(user, Timestamp::now())?.into_iter();
            let others = sessions.filter(|other| other.id != by.session.id);
            let mut ended = 0;
            for other in others {
                auth.end(store, other.id, &other.token)?;
                by.audit_event(store, "session_revoked", other.user_agent);
                ended += 1;
            }
            Ok(ended)
        })
        .await
    }

    /// Ends the session that asks for it.
    fn end_own(
        &self,
        store: &dyn Store,
        client: &Client,
        session: &Session,
    ) -> Result<(), AuthError> {
        self.end(store, session.id, &session.token)?;
        client.audit_by(store, "logged_out", &session.user, "");
        Ok(())
    }

    fn end(&self, store: &dyn Store, session: Uuid, token: &Hash) -> Result<(), AuthError> {
        store.remove_session(session)?;
        self.sessions.remove(token);
        Ok(())
    }
}

/// The session of this id, whosever it is.
fn anybodys(store: &dyn Store, id: Uuid) -> Result<SessionRow, AuthError> {
    let now = Timestamp::now();
    for user in store.users()? {
        let sessions = store.sessions_of(user.id, now)?;
        if let Some(found) = sessions.into_iter().find(|session| session.id == id) {
            return Ok(found);
        }
    }
    Err(AuthError::NotFound("session"))
}

/// Another session of the user of `asking`.
fn other(store: &dyn Store, asking: &Session, id: Uuid) -> Result<SessionRow, AuthError> {
    if id == asking.id {
        return Err(AuthError::PresentSession);
    }
    let sessions = store.sessions_of(asking.user.id, Timestamp::now())?;
    let found = sessions.into_iter().find(|other| other.id == id);
    found.ok_or(AuthError::NotFound("session"))
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
