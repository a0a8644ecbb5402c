//! How a browser gets from the gateway, where its person is logged in, to a sandbox's own host.
//!
//! The sandbox's host gives the browser a nonce in a cookie, and sends it to the gateway with the
//! nonce's hash. The gateway answers with a token for that host and that hash. The host takes the
//! token once, from the browser that has the nonce, and gives it a grant.

use super::token::Token;
use super::{Auth, AuthError, Session, client, cookie};
use crate::error::HttpError;
use crate::store::{GrantRow, Hash};
use crate::timestamp::Timestamp;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
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

/// The tokens that are good, by their hash, and in order for each session.
#[derive(Default)]
pub(super) struct Entering(Mutex<Tokens>);

#[derive(Default)]
struct Tokens {
    all: HashMap<Hash, Pending>,
    of_session: HashMap<Uuid, VecDeque<Hash>>,
}

/// What a token is for.
struct Pending {
    begun: Instant,
    session: Arc<Session>,
    host: Box<str>,
    challenge: Hash,
}

impl Entering {
    fn begin(&self, token: Hash, pending: Pending) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = pending.session.id;
        tokens.all.insert(token, pending);
        let queue = tokens.of_session.entry(session).or_default();
        queue.push_back(token);
        if queue.len() > MOST_AT_ONCE
            && let Some(oldest) = queue.pop_front()
        {
            tokens.all.remove(&oldest);
        }
    }

    /// What this token is for, which nobody can take again.
    fn take(&self, token: &Hash) -> Option<Pending> {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = tokens.all.remove(token)?;
        if let Some(queue) = tokens.of_session.get_mut(&pending.session.id) {
            queue.retain(|other| other != token);
        }
        (pending.begun.elapsed() < LASTS).then_some(pending)
    }

    pub(super) fn purge_expired(&self) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Tokens { all, of_session } = &mut *tokens;
        all.retain(|_, pending| pending.begun.elapsed() < LASTS);
        of_session.retain(|_, queue| {
            queue.retain(|token| all.contains_key(token));
            !queue.is_empty()
        });
    }
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
        let pending = Pending {
            begun: Instant::now(),
            session: session.clone(),
            host: host.into(),
            challenge: challenge.bytes(),
        };
        self.entering.begin(token.hash(), pending);
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
        let pending = self.entering.take(&token.hash());
        let pending = pending.ok_or(EnterError::Spent)?;
        let mut nonces = cookie::tokens(headers, &self.cookies.enter);
        let refusal = if *pending.host != *host {
            Some(EnterError::OtherHost)
        } else if nonces.all(|nonce| nonce.hash() != pending.challenge) {
            Some(EnterError::OtherBrowser)
        } else {
            None
        };
        let address = address.to_string();
        let session = pending.session;
        self.run(move |auth, store| {
            let (event, detail) = match &refusal {
                None => ("entered", pending.host.to_string()),
                Some(refusal) => ("enter_refused", format!("{}: {refusal}", pending.host)),
            };
            let note = || {
                let user = Some(session.user.id);
                client::audit_event(store, event, user, Some(address.clone()), detail.clone());
            };
            if let Some(refusal) = refusal {
                note();
                return Ok(Err(refusal));
            }
            let grant = Token::random()?;
            let row = GrantRow {
                token: grant.hash(),
                session_id: session.id,
                host: pending.host.to_string(),
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

    fn session() -> Arc<Session> {
        let mut session = opened(Timestamp::now());
        session.id = Uuid::new_v4();
        Arc::new(session)
    }

    fn pending(session: &Arc<Session>, begun: Instant) -> Pending {
        Pending {
            begun,
            session: session.clone(),
            host: "a.example".into(),
            challenge: [0; 32],
        }
    }

    fn held(entering: &Entering) -> (usize, usize) {
        let tokens = entering.0.lock().unwrap();
        (tokens.all.len(), tokens.of_session.len())
    }

    #[test]
    fn a_token_is_good_once_and_for_thirty_seconds() {
        let (entering, session, now) = (Entering::default(), session(), Instant::now());
        let before = |secs| now.checked_sub(Duration::from_secs(secs)).unwrap();
        entering.begin([1; 32], pending(&session, before(29)));
        entering.begin([2; 32], pending(&session, before(31)));
        assert!(entering.take(&[2; 32]).is_none(), "it took too long");
        assert!(entering.take(&[1; 32]).is_some());
        assert!(entering.take(&[1; 32]).is_none(), "it was used");
        entering.begin([3; 32], pending(&session, before(31)));
        entering.begin([4; 32], pending(&session, before(1)));
        entering.purge_expired();
        assert_eq!(held(&entering), (1, 1));
        assert!(entering.take(&[4; 32]).is_some());
        entering.purge_expired();
        assert_eq!(held(&entering), (0, 0));
    }

    #[test]
    fn however_often_a_session_asks_few_tokens_are_good_and_no_others_suffer() {
        let (entering, now) = (Entering::default(), Instant::now());
        let (ada, bob) = (session(), session());
        entering.begin([255; 32], pending(&bob, now));
        for n in 0..100 {
            entering.begin([n; 32], pending(&ada, now));
        }
        assert_eq!(held(&entering), (MOST_AT_ONCE + 1, 2));
        assert!(entering.take(&[0; 32]).is_none());
        assert!(entering.take(&[99; 32]).is_some());
        assert!(entering.take(&[255; 32]).is_some());
    }
}
