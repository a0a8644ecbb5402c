//! Sessions in memory: what the proxied path looks at.

use super::{AuthError, User};
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
    step_up: Duration,
    pub(super) token: Hash,
    last_seen_at: AtomicI64,
}

impl Session {
    pub(super) fn new(row: &SessionRow, user: Arc<User>, step_up: Duration) -> Self {
        Self {
            id: row.id,
            user,
            kind: row.kind,
            passkey_id: row.passkey_id,
            authenticated_at: row.created_at,
            expires_at: row.expires_at,
            step_up,
            token: row.token,
            last_seen_at: AtomicI64::new(row.last_seen_at.millis()),
        }
    }

    /// Whether it may do everything that its user may.
    pub fn is_full(&self) -> bool {
        self.kind == SessionKind::Full
    }

    /// Whether its user logged in with a passkey a moment ago (`auth.step_up_secs`).
    pub fn is_fresh(&self) -> bool {
        self.is_full() && self.is_fresh_at(Timestamp::now())
    }

    /// A log-in that is as far ahead was made by a clock that was wrong.
    fn is_fresh_at(&self, now: Timestamp) -> bool {
        let (at, within) = (self.authenticated_at, self.step_up);
        at.before(within) < now && now < at.after(within)
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

    /// Asks for a full session, and for step-up.
    ///
    /// # Errors
    /// [`AuthError::RecoverySession`] or [`AuthError::StepUpRequired`].
    pub fn require_fresh(&self) -> Result<(), AuthError> {
        self.require_full()?;
        if !self.is_fresh() {
            return Err(AuthError::StepUpRequired);
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

    /// Forgets a session that has left the store.
    pub(super) fn remove(&self, token: &Hash) {
        self.let_load();
        self.by_token.remove(token);
    }

    /// Forgets the sessions that have left the store, of which `ends` tells.
    pub(super) fn remove_where(&self, ends: impl Fn(&Session) -> bool) {
        self.let_load();
        // Readers of the map need not wait for the search.
        let ended = self.by_token.iter().filter(|session| ends(session));
        let ended: Vec<Hash> = ended.map(|session| session.token).collect();
        for token in ended {
            self.by_token.remove(&token);
        }
    }

    /// Forgets those that have ended, and those that were not used for long.
    pub(super) fn purge_expired(&self, now: Timestamp) {
        let unused = now.before(KEPT);
        self.remove_where(|it| it.expires_at <= now || it.last_seen_at() <= unused);
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

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_UP: Duration = Duration::from_mins(3);

    /// A session that was opened, and last seen, at `at`.
    fn opened(at: Timestamp) -> Session {
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
        };
        Session::new(&row, Arc::new(user), STEP_UP)
    }

    #[test]
    fn a_log_in_is_fresh_for_a_moment_also_if_the_clock_was_ahead() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let session = opened(at);
        let second = Duration::from_secs(1);
        assert!(session.is_fresh_at(at) && session.is_fresh_at(at.after(STEP_UP).before(second)));
        assert!(!session.is_fresh_at(at.after(STEP_UP)));
        assert!(
            session.is_fresh_at(at.before(second)),
            "clocks are set by seconds"
        );
        assert!(!session.is_fresh_at(at.before(Duration::from_hours(9600))));
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
}
