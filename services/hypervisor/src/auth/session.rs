//! A person in one browser.

use super::in_use::{Credential, InUse, LastUse};
use super::{AuthError, User};
use crate::lifetime::{EndNotifier, Lifetime};
use crate::store::{Hash, SessionKind, SessionRow};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

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
    last_seen_at: LastUse,
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
            last_seen_at: LastUse::at(row.last_seen_at),
        }
    }

    /// The same session of its user as they are now.
    pub(super) fn with_user(&self, user: Arc<User>) -> Self {
        Credential::with_user(self, user, Arc::clone(&self.lifetime))
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
        self.last_seen_at.time()
    }
}

impl Credential for Session {
    fn id(&self) -> Uuid {
        self.id
    }

    fn hash(&self) -> Hash {
        self.token
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    fn lifetime(&self) -> &Arc<Lifetime> {
        &self.lifetime
    }

    fn last_use(&self) -> &LastUse {
        &self.last_seen_at
    }

    fn user(&self) -> &Arc<User> {
        &self.user
    }

    fn with_user(&self, user: Arc<User>, lifetime: Arc<Lifetime>) -> Self {
        Self {
            user,
            lifetime,
            last_seen_at: LastUse::at(self.last_seen_at.time()),
            ..*self
        }
    }
}

/// The sessions that are in use.
pub(super) type Sessions = InUse<Session>;

#[cfg(test)]
pub(super) mod tests {
    use super::super::in_use::KEPT;
    use super::*;
    use crate::lifetime::Lifetimes;
    use std::time::Duration;

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
