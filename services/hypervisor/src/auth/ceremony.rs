//! Passkey ceremonies under way: one browser, one purpose, one use, a few minutes.

use super::AuthError;
use super::token::Token;
use crate::store::Hash;
use dashmap::DashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;
use webauthn_rs::prelude::{DiscoverableAuthentication, PasskeyRegistration};

/// What a ceremony is for, and what its finish needs to know.
pub(super) enum Ceremony {
    Register(Registration),
    LogIn(LogIn),
    AddPasskey(AddPasskey),
}

/// A new account, nothing of which is written yet.
pub(super) struct Registration {
    pub(super) user_id: Uuid,
    pub(super) username: String,
    pub(super) display_name: String,
    pub(super) admin: bool,
    pub(super) invite: Option<Hash>,
    pub(super) state: PasskeyRegistration,
}

pub(super) struct LogIn {
    pub(super) who: Who,
    pub(super) state: DiscoverableAuthentication,
}

/// Whom a log-in is for.
#[derive(Clone, Copy)]
pub(super) enum Who {
    /// Whoever the passkey says.
    Anyone,
    /// The user who was named; none if there is no such user, and we don't say so.
    Named(Option<Uuid>),
}

/// One more passkey for a user.
pub(super) struct AddPasskey {
    pub(super) session: Uuid,
    pub(super) name: String,
    pub(super) state: PasskeyRegistration,
}

/// The ceremonies under way, by the hash of what the browser holds.
pub(super) struct Ceremonies {
    begun: DashMap<Hash, (Instant, Ceremony)>,
    pub(super) lasts: Duration,
    most: usize,
}

impl Ceremonies {
    /// Room for `most` ceremonies of this duration.
    pub(super) fn new(lasts: Duration, most: usize) -> Self {
        Self {
            begun: DashMap::new(),
            lasts,
            most,
        }
    }

    /// Keeps a ceremony; the browser that gets the token may finish it.
    pub(super) fn begin(&self, ceremony: Ceremony) -> Result<Token, AuthError> {
        if self.begun.len() >= self.most {
            self.purge_expired();
            if self.begun.len() >= self.most {
                return Err(AuthError::Busy);
            }
        }
        let token = Token::random()?;
        self.begun.insert(token.hash(), (Instant::now(), ceremony));
        Ok(token)
    }

    /// The ceremony of this token, which nobody can take again.
    pub(super) fn take(&self, token: &Token) -> Option<Ceremony> {
        let (_, (begun, ceremony)) = self.begun.remove(&token.hash())?;
        (begun.elapsed() < self.lasts).then_some(ceremony)
    }

    pub(super) fn purge_expired(&self) {
        self.begun
            .retain(|_, (begun, _)| begun.elapsed() < self.lasts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::keys::Keys;
    use crate::config::Config;

    #[test]
    fn a_flood_of_ceremonies_is_turned_away_until_they_end() {
        let config = Config::default();
        let keys = Keys::new(&config.auth, &config.origin(), &[1; 32]).unwrap();
        let log_in = || {
            let (_, state) = keys.start_login(&[]).unwrap();
            let who = Who::Anyone;
            Ceremony::LogIn(LogIn { who, state })
        };
        let ceremonies = Ceremonies::new(Duration::from_mins(5), 2);
        let first = ceremonies.begin(log_in()).unwrap();
        ceremonies.begin(log_in()).unwrap();
        assert!(matches!(ceremonies.begin(log_in()), Err(AuthError::Busy)));
        assert!(ceremonies.take(&first).is_some());
        assert!(ceremonies.take(&first).is_none());
        ceremonies.begin(log_in()).unwrap();

        let short = Ceremonies::new(Duration::ZERO, 1);
        for _ in 0..3 {
            let token = short.begin(log_in()).unwrap();
            assert!(short.take(&token).is_none(), "it has ended");
            short.begin(log_in()).unwrap();
        }
    }
}
