//! The acts that wait for a passkey: each has a challenge of its own, for one use within a minute.

use super::pending::Pending;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;
use webauthn_rs::prelude::DiscoverableAuthentication;

/// So many wait in one session at most; one more takes the place of the oldest.
const MOST_OF_SESSION: usize = 8;

/// So many wait at most. Each takes about two kilobytes.
const MOST: usize = 8192;

/// An act that waits for a passkey.
pub(super) struct Waiting<A> {
    pub(super) act: A,
    /// What will happen, in a sentence.
    pub(super) summary: String,
    /// What a passkey answers; without it a page of ours has to go on.
    pub(super) challenge: Option<Challenge>,
}

/// An act as its page shows it.
pub(crate) struct Shown<A> {
    pub(crate) act: A,
    pub(crate) summary: String,
    /// The options for the browser's `get()`.
    pub(crate) options: Option<Value>,
    /// For how long it waits still.
    pub(crate) left: Duration,
}

/// What a passkey is asked.
pub(super) struct Challenge {
    /// The options for a browser's `get()`.
    pub(super) options: Value,
    pub(super) state: DiscoverableAuthentication,
}

/// The acts that wait, each in its session.
pub struct Acts<A>(Pending<Uuid, Uuid, Waiting<A>>);

impl<A> Default for Acts<A> {
    fn default() -> Self {
        Self::lasting(Duration::from_mins(1))
    }
}

impl<A> Acts<A> {
    /// Acts that wait for so long.
    pub fn lasting(lasts: Duration) -> Self {
        Self(Pending::new(lasts, MOST_OF_SESSION, MOST))
    }

    /// How long an act waits.
    pub(crate) const fn lasts(&self) -> Duration {
        self.0.lasts()
    }

    /// Keeps an act of this session; the id that finishes it.
    pub(super) fn begin(&self, session: Uuid, waiting: Waiting<A>) -> Uuid {
        let id = Uuid::new_v4();
        self.0.insert(id, session, waiting);
        id
    }

    /// The act of this id and session, which nobody can take again.
    pub(super) fn take(&self, session: Uuid, id: Uuid) -> Option<Waiting<A>> {
        self.0.take_of(&session, &id)
    }

    /// What the page of this act needs to know.
    pub(crate) fn shown(&self, session: Uuid, id: Uuid) -> Option<Shown<A>>
    where
        A: Clone,
    {
        self.0.look(&session, &id, |waiting, left| Shown {
            act: waiting.act.clone(),
            summary: waiting.summary.clone(),
            options: waiting.challenge.as_ref().map(|it| it.options.clone()),
            left,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(acts: &Acts<u8>, session: u128, act: u8) -> Uuid {
        let waiting = Waiting {
            act,
            summary: String::new(),
            challenge: None,
        };
        acts.begin(Uuid::from_u128(session), waiting)
    }

    fn take(acts: &Acts<u8>, session: u128, id: Uuid) -> Option<u8> {
        let taken = acts.take(Uuid::from_u128(session), id);
        taken.map(|waiting| waiting.act)
    }

    #[test]
    fn an_act_is_taken_once_and_by_its_session_alone() {
        let acts = Acts::default();
        let id = begin(&acts, 1, 7);
        assert_eq!(take(&acts, 2, id), None);
        assert_eq!(take(&acts, 1, Uuid::nil()), None);
        assert_eq!(take(&acts, 1, id), Some(7));
        assert_eq!(take(&acts, 1, id), None);
    }

    #[test]
    fn an_act_ends_by_itself() {
        let acts = Acts::lasting(Duration::ZERO);
        let id = begin(&acts, 1, 7);
        assert!(acts.shown(Uuid::from_u128(1), id).is_none());
        assert_eq!(take(&acts, 1, id), None);
        for _ in 0..2 * MOST {
            begin(&acts, 1, 7);
        }
    }

    #[test]
    fn a_flood_of_one_session_takes_the_room_of_that_session_alone() {
        let acts = Acts::default();
        let others = begin(&acts, 2, 1);
        let oldest = begin(&acts, 1, 2);
        let flood: Vec<_> = (0..MOST_OF_SESSION).map(|_| begin(&acts, 1, 3)).collect();
        assert_eq!(take(&acts, 1, oldest), None);
        assert_eq!(take(&acts, 2, others), Some(1));
        assert!(flood.into_iter().all(|id| take(&acts, 1, id) == Some(3)));
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let acts = Acts::default();
        for session in 0..2 * MOST {
            begin(&acts, session as u128, 1);
        }
        assert_eq!(acts.0.held().0, MOST);
    }
}
