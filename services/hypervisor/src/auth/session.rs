//! Sessions in memory: what the proxied path looks at.

use super::AuthError;
use crate::store::{Hash, SessionKind, SessionRow, Timestamp, UserRow};
use dashmap::DashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// How exactly we know when a session was last seen.
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// A logged-in user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never changes.
    pub id: Uuid,
    /// Normalised, unique.
    pub username: String,
    /// As the user wrote it.
    pub display_name: String,
    /// Whether the user may see and do everything.
    pub admin: bool,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            username: row.username,
            display_name: row.display_name,
            admin: row.admin,
        }
    }
}

/// A user's session in one browser.
#[derive(Debug)]
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
    /// The address that it was opened from.
    pub address: String,
    /// The browser that it was opened by.
    pub user_agent: String,
    fresh_until: Timestamp,
    token: Hash,
    last_seen_at: AtomicI64,
}

impl Session {
    pub(super) fn new(row: SessionRow, user: Arc<User>, step_up: Duration) -> Self {
        Self {
            id: row.id,
            user,
            kind: row.kind,
            passkey_id: row.passkey_id,
            authenticated_at: row.created_at,
            expires_at: row.expires_at,
            address: row.address,
            user_agent: row.user_agent,
            fresh_until: row.created_at.after(step_up),
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
        self.is_full() && Timestamp::now() < self.fresh_until
    }

    /// Asks for a full session, and for step-up.
    ///
    /// # Errors
    /// [`AuthError::RecoverySession`] or [`AuthError::StepUpRequired`].
    pub fn require_fresh(&self) -> Result<(), AuthError> {
        if !self.is_full() {
            Err(AuthError::RecoverySession)
        } else if !self.is_fresh() {
            Err(AuthError::StepUpRequired)
        } else {
            Ok(())
        }
    }

    /// When it last came with a request, to about a minute.
    pub fn last_seen_at(&self) -> Timestamp {
        Timestamp::from_millis(self.last_seen_at.load(Ordering::Relaxed))
    }

    /// Notes that it came with a request, `now` or just before. Rarely writes, so that requests of one session do
    /// not fight for a cache line.
    fn seen(&self, now: Timestamp) {
        if self.last_seen_at().after(SEEN_EVERY) <= now {
            let now = Timestamp::now();
            self.last_seen_at.store(now.millis(), Ordering::Relaxed);
        }
    }
}

/// All sessions, by the hash of what the browser holds.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_token: DashMap<Hash, Arc<Session>>,
    written_at: AtomicI64,
}

impl Sessions {
    pub(super) fn insert(&self, session: Arc<Session>) {
        self.by_token.insert(session.token, session);
    }

    /// The session of this token, which has now been seen.
    pub(super) fn find(&self, token: &Hash) -> Option<Arc<Session>> {
        let now = Timestamp::about_now();
        let session = Arc::clone(self.by_token.get(token)?.value());
        (now < session.expires_at).then(|| {
            session.seen(now);
            session
        })
    }

    pub(super) fn remove(&self, session: &Session) {
        self.by_token.remove(&session.token);
    }

    pub(super) fn remove_where(&self, ends: impl Fn(&Session) -> bool) {
        self.by_token.retain(|_, session| !ends(session));
    }

    /// The good sessions that `wanted` picks.
    pub(super) fn list(&self, wanted: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        let now = Timestamp::now();
        self.by_token
            .iter()
            .filter(|session| now < session.expires_at && wanted(session))
            .map(|session| Arc::clone(session.value()))
            .collect()
    }

    /// When the sessions that came with a request since the last call were seen.
    pub(super) fn seen_since_last_time(&self, now: Timestamp) -> Vec<(Uuid, Timestamp)> {
        let last = self.written_at.swap(now.millis(), Ordering::Relaxed);
        self.list(|session| session.last_seen_at().millis() >= last)
            .into_iter()
            .map(|session| (session.id, session.last_seen_at()))
            .collect()
    }
}
