//! How a browser gets from the gateway, where its person is logged in, to a sandbox's own host.
//!
//! The sandbox's host gives the browser a nonce in a cookie, and sends it to the gateway with the
//! nonce's hash. The gateway answers with a token for that host and that hash. The host takes the
//! token once, from the browser that has the nonce, and gives it a grant.

use super::pending::Pending;
use super::token::Token;
use super::{Auth, AuthError, Session, client, cookie};
use crate::error::HttpError;
use crate::store::{AuditRow, GrantRow, Hash};
use crate::timestamp::Timestamp;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long a token is good.
const LASTS: Duration = Duration::from_secs(30);

/// How long a browser is known again: a log-in may come between.
const NONCE_LASTS: Duration = Duration::from_hours(1);

/// Tokens of one session that are good at once: a browser's tabs come together at times. The
/// oldest goes.
const MOST_AT_ONCE: usize = 16;

/// Grants of one session at one host. A browser has one; more come from tabs that entered at once.
const MOST_GRANTS: u32 = 4;

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum EnterError {
    #[error(
        "this way in was used, or took longer than 30 seconds; open the sandbox's address again"
    )]
    Spent,
    #[error("this way in is for another sandbox; open this one's address again")]
    OtherHost,
    #[error(
        "this browser did not send the cookie that it got here a moment ago; allow cookies for this address and open it again. If a link from somebody else led here, leave it"
    )]
    OtherBrowser,
    #[error("this address is not whole; open the sandbox's own address again")]
    NoChallenge,
    #[error("{0}")]
    Auth(#[from] AuthError),
}

impl From<EnterError> for HttpError {
    fn from(error: EnterError) -> Self {
        let code = match error {
            EnterError::Auth(error) => return error.into(),
            EnterError::Spent => "enter_spent",
            EnterError::OtherHost => "enter_other_host",
            EnterError::OtherBrowser => "enter_other_browser",
            EnterError::NoChallenge => "enter_invalid",
        };
        Self::new(StatusCode::FORBIDDEN, code, error.to_string())
    }
}

impl IntoResponse for EnterError {
    fn into_response(self) -> Response {
        HttpError::from(self).into_response()
    }
}

/// The tokens that are good, by their hash. They belong to the session that got them.
pub(super) type Entering = Pending<Hash, Uuid, Entrant>;

/// Whom a token lets in, and where.
pub(super) struct Entrant {
    session: Arc<Session>,
    host: Box<str>,
    challenge: Hash,
}

/// No tokens yet. In all there may be as many as there are sessions to ask for them.
pub(super) fn tokens() -> Entering {
    Pending::new(LASTS, MOST_AT_ONCE, usize::MAX)
}

impl Auth {
    /// The challenge by which this browser will be known again at the host that it is at, and the
    /// cookie for it.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn challenge(&self, headers: &HeaderMap) -> Result<(String, HeaderValue), AuthError> {
        let name = &self.cookies.enter;
        // The same for all tabs that come together; and each time it lasts anew.
        let nonce = match cookie::tokens(headers, name).next() {
            Some(nonce) => nonce,
            None => Token::random()?,
        };
        let challenge = Token::of(nonce.hash()).reveal();
        Ok((challenge, self.cookies.set(name, &nonce, NONCE_LASTS)))
    }

    /// A token with which the browser of this challenge may enter at `host`.
    ///
    /// # Errors
    /// [`EnterError::NoChallenge`]; the session's, unless it is a full one.
    pub fn enter_token(
        &self,
        session: &Arc<Session>,
        host: &str,
        challenge: &str,
    ) -> Result<String, EnterError> {
        session.require_full()?;
        let challenge = Token::parse(challenge).ok_or(EnterError::NoChallenge)?;
        let token = Token::random()?;
        let entrant = Entrant {
            session: session.clone(),
            host: host.into(),
            challenge: challenge.bytes(),
        };
        self.entering.insert(token.hash(), session.id, entrant);
        Ok(token.reveal())
    }

    /// Lets the browser of these headers in at `host` with a token: the cookie of its grant.
    ///
    /// # Errors
    /// Whatever does not fit. The token is used up in any case.
    pub async fn enter(
        self: &Arc<Self>,
        headers: &HeaderMap,
        host: &str,
        token: &str,
        address: IpAddr,
    ) -> Result<HeaderValue, EnterError> {
        let token = Token::parse(token).ok_or(EnterError::Spent)?;
        let entrant = self.entering.take(&token.hash());
        let entrant = entrant.ok_or(EnterError::Spent)?;
        let mut nonces = cookie::tokens(headers, &self.cookies.enter);
        let refusal = if *entrant.host != *host {
            Some(EnterError::OtherHost)
        } else if nonces.all(|nonce| nonce.hash() != entrant.challenge) {
            Some(EnterError::OtherBrowser)
        } else {
            None
        };
        let address = address.to_string();
        let session = entrant.session;
        self.run(move |auth, store| {
            let (event, detail) = match &refusal {
                None => ("entered", entrant.host.to_string()),
                Some(refusal) => ("enter_refused", format!("{}: {refusal}", entrant.host)),
            };
            let user = &session.user;
            let row = AuditRow {
                address: Some(address),
                actor: Some(user.username.clone()),
                ..AuditRow::new(event, Some(user.id), detail)
            };
            let note = || client::audit(store, &row);
            if let Some(refusal) = refusal {
                note();
                return Ok(Err(refusal));
            }
            let grant = Token::random()?;
            let row = GrantRow {
                token: grant.hash(),
                session_id: session.id,
                host: entrant.host.to_string(),
                created_at: Timestamp::now(),
            };
            for forgotten in store.add_grant(&row, MOST_GRANTS)? {
                auth.grants.remove(&forgotten);
            }
            auth.grants.insert(row.token, &row.host, session.token);
            note();
            let lasts = auth.session_lasts;
            Ok(Ok(auth.cookies.set(&auth.cookies.grant, &grant, lasts)))
        })
        .await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::session::tests::opened;
    use std::time::Instant;

    fn session() -> Arc<Session> {
        let mut session = opened(Timestamp::now());
        session.id = Uuid::new_v4();
        Arc::new(session)
    }

    fn begin(entering: &Entering, token: Hash, session: &Arc<Session>, begun: Instant) {
        let entrant = Entrant {
            session: session.clone(),
            host: "a.example".into(),
            challenge: [0; 32],
        };
        entering.insert_at(token, session.id, entrant, begun);
    }

    #[test]
    fn a_token_is_good_once_and_for_thirty_seconds() {
        let (entering, session, now) = (tokens(), session(), Instant::now());
        let before = |secs| now.checked_sub(Duration::from_secs(secs)).unwrap();
        begin(&entering, [1; 32], &session, before(29));
        begin(&entering, [2; 32], &session, before(31));
        assert!(entering.take(&[2; 32]).is_none(), "it took too long");
        assert!(entering.take(&[1; 32]).is_some());
        assert!(entering.take(&[1; 32]).is_none(), "it was used");
        begin(&entering, [3; 32], &session, before(31));
        begin(&entering, [4; 32], &session, before(1));
        entering.purge_expired();
        assert_eq!(entering.held(), (1, 1));
        assert!(entering.take(&[4; 32]).is_some());
        entering.purge_expired();
        assert_eq!(entering.held(), (0, 0));
    }

    #[test]
    fn however_often_a_session_asks_few_tokens_are_good_and_no_others_suffer() {
        let (entering, now) = (tokens(), Instant::now());
        let (ada, bob) = (session(), session());
        begin(&entering, [255; 32], &bob, now);
        for n in 0..100 {
            begin(&entering, [n; 32], &ada, now);
        }
        assert_eq!(entering.held(), (MOST_AT_ONCE + 1, 2));
        assert!(entering.take(&[0; 32]).is_none());
        assert!(entering.take(&[99; 32]).is_some());
        assert!(entering.take(&[255; 32]).is_some());
    }
}
