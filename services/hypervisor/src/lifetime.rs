//! How long what somebody has opened may go on: a WebSocket, an event stream, a download.
//!
//! A request is let in once, but may last for days. What lets it in, a session or the access that
//! a sandbox's owner grants, has a [`Lifetime`], which the request keeps. Each worker watches for
//! the ends of the requests that it carries.

use crate::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// Tells all workers that a lifetime was ended. All lifetimes of a program come from one.
#[derive(Debug, Clone)]
pub struct EndNotifier(Arc<watch::Sender<()>>);

impl EndNotifier {
    /// Nobody listens yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }

    /// A lifetime that goes on until it is ended, or until its time has come.
    pub fn lifetime(&self, expires_at: Option<Timestamp>) -> Arc<Lifetime> {
        Arc::new(Lifetime {
            ended: AtomicBool::new(false),
            expires_at,
            notifier: self.clone(),
        })
    }

    /// Changes each time that a lifetime is ended.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

impl Default for EndNotifier {
    fn default() -> Self {
        Self::new()
    }
}

/// How long something lasts that lets requests in.
#[derive(Debug)]
pub struct Lifetime {
    ended: AtomicBool,
    expires_at: Option<Timestamp>,
    notifier: EndNotifier,
}

impl Lifetime {
    /// Ends it, and what was opened with it.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.notifier.0.send_replace(());
    }

    /// Whether somebody ended it.
    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.is_ended() || self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// What lets a request in: it ends with the first of them.
#[derive(Debug, Clone, Default)]
pub struct Lifetimes {
    /// The session's, unless nobody is asked who comes.
    pub session: Option<Arc<Lifetime>>,
    /// The access's, for those who are let in by nothing else.
    pub access: Option<Arc<Lifetime>>,
}

impl Lifetimes {
    fn iter(&self) -> impl Iterator<Item = &Lifetime> {
        [&self.session, &self.access]
            .into_iter()
            .flatten()
            .map(|it| &**it)
    }

    /// Whether somebody ended one of them; asks no clock.
    pub fn are_ended(&self) -> bool {
        self.iter().any(Lifetime::is_ended)
    }

    /// Whether one of them is over at `now`.
    pub fn are_over(&self, now: Timestamp) -> bool {
        self.iter().any(|lifetime| lifetime.is_over(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_with_the_first_of_what_let_it_in() {
        let notifier = EndNotifier::new();
        let mut told = notifier.subscribe();
        let at = Timestamp::from_millis;
        let (session, access) = (notifier.lifetime(Some(at(10))), notifier.lifetime(None));
        let lifetimes = Lifetimes {
            session: Some(session),
            access: Some(access.clone()),
        };
        assert!(!lifetimes.are_over(at(9)) && lifetimes.are_over(at(10)));
        assert!(!lifetimes.are_ended() && !told.has_changed().unwrap());
        access.end();
        assert!(lifetimes.are_ended() && lifetimes.are_over(at(0)));
        assert!(told.has_changed().unwrap());
        told.mark_unchanged();
        access.end();
        assert!(told.has_changed().unwrap());
        assert!(
            !Lifetimes::default().are_over(at(i64::MAX)),
            "nothing ends it"
        );
    }
}
