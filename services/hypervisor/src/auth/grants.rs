//! What lets a session's browser in at a sandbox's own host: a cookie of that host, which is good
//! there alone and as long as the session.

use super::{Auth, AuthError, Session, cookie, cookie_hashes};
use crate::store::{Hash, Store};
use dashmap::DashMap;
use http::HeaderMap;
use std::sync::Arc;

/// The grants that are in use, by the hash of what the browser holds. Whether the session is still
/// good is asked each time, so that these need not be told of its end.
#[derive(Default)]
pub(super) struct Grants(DashMap<Hash, Grant>);

struct Grant {
    host: Box<str>,
    /// The session's token.
    session: Hash,
}

impl Grants {
    pub(super) fn insert(&self, token: Hash, host: &str, session: Hash) {
        let host = host.into();
        self.0.insert(token, Grant { host, session });
    }

    pub(super) fn remove(&self, token: &Hash) {
        self.0.remove(token);
    }

    /// The session's token, if this is a grant for that host.
    fn session_at(&self, token: &Hash, host: &str) -> Option<Hash> {
        let grant = self.0.get(token)?;
        (*grant.host == *host).then_some(grant.session)
    }

    fn knows(&self, token: &Hash) -> bool {
        self.0.contains_key(token)
    }

    /// Forgets those whose session `is_there` no longer.
    pub(super) fn retain(&self, is_there: impl Fn(&Hash) -> bool) {
        self.0.retain(|_, grant| is_there(&grant.session));
    }
}

impl Auth {
    /// The session that lets these headers in at `host`, if both were used before; a lookup in
    /// memory. Who gets none asks [`Auth::fetch_granted`].
    pub fn granted(&self, headers: &HeaderMap, host: &str) -> Option<Arc<Session>> {
        if !self.store.is_current() {
            return None;
        }
        let tokens = cookie::tokens(headers, &self.cookies.grant).map(|token| token.hash());
        let mut sessions = tokens.filter_map(|token| self.grants.session_at(&token, host));
        sessions.find_map(|session| self.sessions.find(&session))
    }

    /// The same where it is not in memory. As with sessions the store is asked for one request at
    /// a time.
    ///
    /// # Errors
    /// The store's.
    pub async fn fetch_granted(
        self: &Arc<Self>,
        headers: &HeaderMap,
        host: &str,
    ) -> Result<Option<Arc<Session>>, AuthError> {
        let host = host.to_owned();
        let find = move |auth: &Self, store: &dyn Store, token: &Hash| {
            auth.load_grant(store, token, &host)
        };
        let tokens = cookie_hashes(headers, &self.cookies.grant);
        self.ask_store(tokens, find).await
    }

    fn load_grant(
        &self,
        store: &dyn Store,
        token: &Hash,
        host: &str,
    ) -> Result<Option<Arc<Session>>, AuthError> {
        if !self.grants.knows(token)
            && let Some((host, session)) = store.grant_by_token(token)?
        {
            self.grants.insert(*token, &host, session);
        }
        match self.grants.session_at(token, host) {
            Some(session) => self.load_session(store, &session),
            None => Ok(None),
        }
    }
}
