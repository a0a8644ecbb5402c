//! Passkey ceremonies under way: one browser, one purpose, one use, a few minutes.

use super::AuthError;
use super::limits::network;
use super::pending::Pending;
use super::token::Token;
use crate::store::Hash;
use std::net::IpAddr;
use std::time::Duration;
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
    /// Id and name of the passkey that confirmed it; none after a recovery code.
    pub(super) by: Option<(Uuid, String)>,
    pub(super) state: PasskeyRegistration,
}

/// The ceremonies under way, by the hash of what the browser holds. They belong to the network that
/// began them.
pub(super) struct Ceremonies(Pending<Hash, IpAddr, Ceremony>);

impl Ceremonies {
    /// Room for `most` ceremonies of this duration.
    pub(super) fn new(lasts: Duration, most: usize) -> Self {
        Self(Pending::new(lasts, most, most))
    }

    /// How long a ceremony may take.
    pub(super) const fn lasts(&self) -> Duration {
        self.0.lasts()
    }

    /// Keeps a ceremony of this client's; the browser that gets the token may finish it.
    pub(super) fn begin(&self, client: IpAddr, ceremony: Ceremony) -> Result<Token, AuthError> {
        let token = Token::random()?;
        self.0.insert(token.hash(), network(client), ceremony);
        Ok(token)
    }

    /// The ceremony of this token, which nobody can take again.
    pub(super) fn take(&self, token: &Token) -> Option<Ceremony> {
        self.0.take(&token.hash())
    }

    pub(super) fn purge_expired(&self) {
        self.0.purge_expired();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::keys::Keys;
    use crate::config::Config;

    fn log_in() -> Ceremony {
        let config = Config::default();
        let keys = Keys::new(&config.auth, &config.origin(), &[1; 32]).unwrap();
        let (_, state) = keys.start_login(&[]).unwrap();
        let who = Who::Anyone;
        Ceremony::LogIn(LogIn { who, state })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_flood_from_one_network_makes_room_for_itself_alone() {
        let ceremonies = Ceremonies::new(Duration::from_mins(5), 4);
        let begin = |from: &str| ceremonies.begin(address(from), log_in()).unwrap();
        let ada = begin("192.0.2.1");
        let flood: Vec<_> = (0..9).map(|n| begin(&format!("2001:db8::{n}"))).collect();
        let bob = begin("192.0.2.2");
        assert!(ceremonies.take(&ada).is_some());
        assert!(ceremonies.take(&ada).is_none(), "it is used up");
        assert!(ceremonies.take(&bob).is_some());
        let left = flood
            .iter()
            .filter(|token| ceremonies.take(token).is_some());
        assert_eq!(left.count(), 2);
        assert_eq!(ceremonies.0.held(), (0, 0), "nothing is kept");
    }

    #[test]
    fn the_oldest_of_many_networks_makes_room() {
        let ceremonies = Ceremonies::new(Duration::from_mins(5), 3);
        let begin = |n: u8| ceremonies.begin([192, 0, 2, n].into(), log_in()).unwrap();
        let tokens: Vec<_> = (0..5).map(begin).collect();
        let left = tokens.iter().map(|token| ceremonies.take(token).is_some());
        assert_eq!(left.collect::<Vec<_>>(), [false, false, true, true, true]);
    }

    #[test]
    fn what_has_ended_is_over_and_makes_room() {
        let short = Ceremonies::new(Duration::ZERO, 1);
        for _ in 0..3 {
            let token = short.begin(address("::1"), log_in()).unwrap();
            assert!(short.take(&token).is_none(), "it has ended");
            short.begin(address("::1"), log_in()).unwrap();
        }
        short.purge_expired();
        assert_eq!(short.0.held(), (0, 0));
    }
}
