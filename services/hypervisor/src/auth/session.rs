//! Sessions in memory: what the proxied path looks at.

use super::{AuthError, User};
use crate::lifetime::{EndNotifier, Lifetime};
use crate::store::{Hash, SessionKind, SessionRow};
use crate::timestamp::Timestamp;
use dashmap::DashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// After so long without a request a session is in the store alone, until the next one.
const KEPT: Duration = Duration::from_hours(24);

/// How exactly we know when a session was last seen.
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// A user's session in one browser.
pub struct Session {
    /// Its public name; not what the browser holds.
    pub id: Uuid,
    /// Whose it is.
    pub user: Arc<User>,
    /// What it may do.
    pub kind: SessionKind,
    /// The passkey that opened it.
    pub passkey_id: Option<Uuid>,
    /// When the user logged in.
    pub authenticated_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// What it opened ends with this. There is one as long as anything that it opened lasts.
    pub lifetime: Arc<Lifetime>,
    pub(super) token: Hash,
    last_seen_at: AtomicI64,
}

impl Session {
    pub(super) fn new(row: &SessionRow, user: Arc<User>, ends: &EndNotifier) -> Self {
        Self {
            id: row.id,
            user,
            kind: row.kind,
            passkey_id: row.passkey_id,
            authenticated_at: row.created_at,
            expires_at: row.expires_at,
            lifetime: ends.lifetime(Some(row.expires_at)),
            token: row.token,
            last_seen_at: AtomicI64::new(row.last_seen_at.millis()),
        }
    }

    /// The same session of its user as they are now.
    pub(super) fn with_user(&self, user: Arc<User>) -> Self {
        Self {
            user,
            lifetime: Arc::clone(&self.lifetime),
            last_seen_at: AtomicI64::new(self.last_seen_at.load(Ordering::Relaxed)),
            ..*self
        }
    }

    /// Whether it may do everything that its user may.
    pub fn is_full(&self) -> bool {
        self.kind == SessionKind::Full
    }

    /// Asks for a full session.
    ///
    /// # Errors
    /// [`AuthError::RecoverySession`].
    pub fn require_full(&self) -> Result<(), AuthError> {
        if !self.is_full() {
            return Err(AuthError::RecoverySession);
        }
        Ok(())
    }

    /// When it last came with a request, to about a minute.
    pub fn last_seen_at(&self) -> Timestamp {
        Timestamp::from_millis(self.last_seen_at.load(Ordering::Relaxed))
    }

    /// Notes that it came with a request. Rarely writes, so that requests of one session do not
    /// fight for a cache line.
    fn seen(&self, now: Timestamp) {
        if self.last_seen_at().after(SEEN_EVERY) <= now {
            self.last_seen_at.store(now.millis(), Ordering::Relaxed);
        }
    }
}

/// The sessions that are in use, by the hash of what the browser holds; the others are in the
/// store alone, and come here with their next request.
#[derive(Default)]
pub(super) struct Sessions {
    by_token: DashMap<Hash, Arc<Session>>,
    /// Held while a session is on its way from the store to here.
    loading: Mutex<()>,
    written_at: AtomicI64,
}

impl Sessions {
    pub(super) fn insert(&self, session: Arc<Session>) {
        self.by_token.insert(session.token, session);
    }

    /// The session of this token, which has now been seen.
    pub(super) fn find(&self, token: &Hash) -> Option<Arc<Session>> {
        let now = Timestamp::now();
        let session = self.peek(token)?;
        (now < session.expires_at).then(|| {
            session.seen(now);
            session
        })
    }

    /// The session of this token, if it is here.
    pub(super) fn peek(&self, token: &Hash) -> Option<Arc<Session>> {
        Some(Arc::clone(self.by_token.get(token)?.value()))
    }

    /// As [`Sessions::find`]; what is not here is fetched from the store by `read`.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn find_or_load<E>(
        &self,
        token: &Hash,
        read: impl FnOnce() -> Result<Option<Session>, E>,
    ) -> Result<Option<Arc<Session>>, E> {
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if self.peek(token).is_none()
            && let Some(session) = read()?
        {
            self.insert(Arc::new(session));
        }
        Ok(self.find(token))
    }

    /// Ends a session that has left the store, and what it opened.
    pub(super) fn remove(&self, token: &Hash) {
        self.let_load();
        if let Some((_, session)) = self.by_token.remove(token) {
            session.lifetime.end();
        }
    }

    /// Ends the sessions that have left the store, of which `ends` tells, and what they opened.
    pub(super) fn remove_where(&self, ends: impl Fn(&Session) -> bool) {
        self.let_load();
        for token in self.tokens_where(ends) {
            self.remove(&token);
        }
    }

    /// Ends those whose time has come, and forgets those that were not used for long.
    pub(super) fn purge_expired(&self, now: Timestamp) {
        self.remove_where(|it| it.expires_at <= now);
        let unused = now.before(KEPT);
        for token in self.tokens_where(|it| it.last_seen_at() <= unused) {
            // Nobody finds it between this look and the removal.
            self.by_token
                .remove_if(&token, |_, it| is_held_by_nobody(it));
        }
    }

    fn tokens_where(&self, is_meant: impl Fn(&Session) -> bool) -> Vec<Hash> {
        // Readers of the map need not wait for the search.
        let meant = self.by_token.iter().filter(|session| is_meant(session));
        meant.map(|session| session.token).collect()
    }

    /// Whoever was read from the store before this is here afterwards, and can be removed; who
    /// comes later is no longer in the store.
    fn let_load(&self) {
        drop(self.loading.lock());
    }

    /// When the sessions that came with a request since the last call were seen.
    pub(super) fn seen_since_last_time(&self, now: Timestamp) -> Vec<(Uuid, Timestamp)> {
        let last = self.written_at.swap(now.millis(), Ordering::Relaxed);
        self.by_token
            .iter()
            .filter(|session| session.last_seen_at().millis() >= last)
            .map(|session| (session.id, session.last_seen_at()))
            .collect()
    }
}

/// Whether no request has it, and nothing that it opened goes on: both would miss its end if it
/// were fetched once more meanwhile.
fn is_held_by_nobody(session: &Arc<Session>) -> bool {
    Arc::strong_count(session) == 1 && Arc::strong_count(&session.lifetime) == 1
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::lifetime::Lifetimes;

    /// A session that was opened, and last seen, at `at`.
    pub(in crate::auth) fn opened(at: Timestamp) -> Session {
        let id = Uuid::nil();
        let row = SessionRow {
            id,
            token: [0; 32],
            user_id: id,
            kind: SessionKind::Full,
            passkey_id: None,
            created_at: at,
            expires_at: Timestamp::from_millis(i64::MAX),
            last_seen_at: at,
            address: String::new(),
            user_agent: String::new(),
        };
        let user = User {
            id,
            username: String::new(),
            display_name: String::new(),
            admin: false,
            created_at: at,
            disabled_at: None,
        };
        Session::new(&row, Arc::new(user), &EndNotifier::new())
    }

    #[test]
    fn a_session_that_is_not_used_for_a_day_leaves_memory_until_its_next_request() {
        let sessions = Sessions::default();
        let token = [0; 32];
        let request = || {
            let read = || Ok::<_, AuthError>(Some(opened(Timestamp::from_millis(1000))));
            sessions.find_or_load(&token, read).unwrap().unwrap()
        };
        let seen = request().last_seen_at();
        sessions.purge_expired(seen.after(KEPT).before(Duration::from_millis(1)));
        assert!(sessions.peek(&token).is_some());
        sessions.purge_expired(seen.after(KEPT));
        assert!(sessions.peek(&token).is_none());
        request();
        assert!(sessions.peek(&token).is_some());
    }

    #[test]
    fn what_a_session_opened_keeps_it_in_memory_so_that_its_end_is_heard() {
        let sessions = Sessions::default();
        let session = Arc::new(opened(Timestamp::from_millis(1000)));
        let (token, stream) = (session.token, session.lifetime.clone());
        let lifetimes = Lifetimes {
            session: Some(stream),
            access: None,
        };
        sessions.insert(session);
        let later = Timestamp::now().after(KEPT);
        sessions.purge_expired(later);
        assert!(sessions.peek(&token).is_some() && !lifetimes.are_ended());
        let request = sessions.peek(&token);
        let session = lifetimes.session;
        let lifetimes = || Lifetimes {
            session: request.as_ref().map(|it| it.lifetime.clone()),
            access: None,
        };
        drop(session);
        sessions.purge_expired(later);
        assert!(sessions.peek(&token).is_some(), "it may open something");
        sessions.remove(&token);
        assert!(lifetimes().are_ended());
    }

    #[test]
    fn what_a_session_opened_ends_with_it_whatever_ends_it() {
        let ends: [&dyn Fn(&Sessions); 3] = [
            &|sessions| sessions.remove(&[0; 32]),
            &|sessions| sessions.remove_where(Session::is_full),
            &|sessions| sessions.purge_expired(Timestamp::from_millis(i64::MAX)),
        ];
        for end in ends {
            let sessions = Sessions::default();
            let session = Arc::new(opened(Timestamp::from_millis(1000)));
            let lifetimes = Lifetimes {
                session: Some(session.lifetime.clone()),
                access: None,
            };
            sessions.insert(session);
            end(&sessions);
            assert!(lifetimes.are_ended());
        }
    }
}
