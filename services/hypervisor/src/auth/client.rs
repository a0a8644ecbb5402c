//! What a handler needs to know about who asks.

use super::ceremony::Ceremony;
use super::token::Token;
use super::{Auth, AuthError, Session, User, cookie};
use crate::config::AUDIT;
use crate::peer::Peer;
use crate::store::{AuditRow, Hash, SessionKind, SessionRow, Store};
use crate::timestamp::Timestamp;
use axum::extract::{FromRef, FromRequestParts};
use http::header;
use http::request::Parts;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const LONGEST_USER_AGENT: usize = 256;

/// The browser (or program) behind a request.
pub(crate) struct Client {
    pub(super) address: IpAddr,
    pub(super) user_agent: String,
    pub(crate) session: Option<Arc<Session>>,
    ceremony: Option<Token>,
}

impl<S: Sync> FromRequestParts<S> for Client
where
    Arc<Auth>: FromRef<S>,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let auth = Arc::from_ref(state);
        let peer = parts.extensions.get::<Peer>().ok_or(AuthError::NoPeer)?;
        let user_agent = parts.headers.get(header::USER_AGENT);
        let user_agent = user_agent.and_then(|value| value.to_str().ok());
        Ok(Self {
            address: peer.client,
            user_agent: user_agent
                .unwrap_or_default()
                .chars()
                .take(LONGEST_USER_AGENT)
                .collect(),
            session: parts.extensions.get::<Arc<Session>>().cloned(),
            ceremony: cookie::tokens(&parts.headers, &auth.cookies.ceremony).next(),
        })
    }
}

impl Client {
    /// Its session, of either kind.
    pub(crate) fn any(&self) -> Result<&Arc<Session>, AuthError> {
        self.session.as_ref().ok_or(AuthError::Unauthenticated)
    }

    /// Its full session.
    pub(crate) fn full(&self) -> Result<&Arc<Session>, AuthError> {
        let session = self.any()?;
        session.require_full()?;
        Ok(session)
    }

    /// A session that this client opens now.
    pub(super) fn session_row(
        &self,
        token: Hash,
        user_id: Uuid,
        kind: SessionKind,
        passkey_id: Option<Uuid>,
        lasts: Duration,
    ) -> SessionRow {
        let now = Timestamp::now();
        SessionRow {
            id: Uuid::new_v4(),
            token,
            user_id,
            kind,
            passkey_id,
            created_at: now,
            expires_at: now.after(lasts),
            last_seen_at: now,
            address: self.address.to_string(),
            user_agent: self.user_agent.clone(),
        }
    }

    /// The ceremony that this browser began, which is used up by this.
    pub(super) fn take_ceremony(&self, auth: &Auth) -> Result<Ceremony, AuthError> {
        self.ceremony
            .as_ref()
            .and_then(|token| auth.ceremonies.take(token))
            .ok_or(AuthError::CeremonyInvalid)
    }

    /// Writes to the audit log what this user did, who has proven to be there.
    pub(super) fn audit_by(
        &self,
        store: &dyn Store,
        event: &str,
        user: &User,
        detail: impl Into<String>,
    ) {
        audit(store, &self.audit_row(event, user, detail, None));
    }

    /// Writes to the audit log what somebody tried, who may not be this user at all.
    pub(super) fn audit_attempt(
        &self,
        store: &dyn Store,
        event: &str,
        user: Option<Uuid>,
        detail: impl Into<String>,
    ) {
        let row = AuditRow {
            address: Some(self.address.to_string()),
            ..AuditRow::new(event, user, detail)
        };
        audit(store, &row);
    }

    /// What a user did to what is theirs, and with which passkey, if it took one.
    pub(super) fn audit_row(
        &self,
        event: &str,
        user: &User,
        detail: impl Into<String>,
        passkey: Option<String>,
    ) -> AuditRow {
        AuditRow {
            address: Some(self.address.to_string()),
            passkey,
            actor: Some(user.username.clone()),
            ..AuditRow::new(event, Some(user.id), detail)
        }
    }
}

/// Writes to the audit log. What it tells of has happened, so that a failure here must not
/// undo what was answered.
pub(crate) fn audit(store: &dyn Store, row: &AuditRow) {
    tell(row);
    if let Err(error) = store.record(row) {
        let event = &row.event;
        tracing::error!(%error, event, "an event is missing from the audit log");
    }
}

/// Tells in the log what the audit log has.
pub(super) fn tell(row: &AuditRow) {
    let AuditRow {
        event,
        address,
        detail,
        passkey,
        actor,
        ..
    } = row;
    let user = row.user_id.map(tracing::field::display);
    tracing::info!(target: AUDIT, event, user, address, actor, detail, passkey, "audit");
}
