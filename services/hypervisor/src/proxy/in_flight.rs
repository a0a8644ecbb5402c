//! What a worker has under way, so that each of it ends with what let it in.

use crate::lifetime::Lifetimes;
use crate::timestamp::Timestamp;
use slab::Slab;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

/// How often those are looked for whose time has come.
const EVERY: Duration = Duration::from_millis(500);

/// A worker's requests, from claim to last byte. Nothing of it is shared between workers, and
/// once it was as large as it gets, a request allocates nothing.
#[derive(Default)]
pub(super) struct Requests(RefCell<Slab<Entry>>);

struct Entry {
    lifetimes: Lifetimes,
    over: bool,
    /// Whoever has to hear of the end.
    waker: Option<Waker>,
    /// The connection that its response comes by. It ends at once, for a client that does not read
    /// keeps everybody else from hearing.
    upstream: Option<AbortHandle>,
}

impl Requests {
    /// One more.
    pub(super) fn begin(self: &Rc<Self>, lifetimes: Lifetimes) -> InFlight {
        let entry = Entry {
            over: false,
            lifetimes,
            waker: None,
            upstream: None,
        };
        let key = self.0.borrow_mut().insert(entry);
        InFlight {
            requests: self.clone(),
            key,
        }
    }

    /// Ends requests, for ever: at once when one of their lifetimes is ended, which `ends` tells,
    /// and soon after its time has come.
    pub(super) async fn watch(&self, mut ends: watch::Receiver<()>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // Without a sender there is nobody left who could end one.
                Ok(()) = ends.changed() => {}
                _ = ticks.tick() => {}
            }
            self.end_those_that_are_over();
        }
    }

    fn end_those_that_are_over(&self) {
        let mut requests = self.0.borrow_mut();
        if requests.is_empty() {
            return;
        }
        let now = Timestamp::now();
        for (_, entry) in requests.iter_mut() {
            if !entry.over && entry.lifetimes.are_over(now) {
                entry.over = true;
                if let Some(upstream) = entry.upstream.take() {
                    upstream.abort();
                }
                if let Some(waker) = entry.waker.take() {
                    waker.wake(); // It is polled later, never from in here.
                }
            }
        }
    }
}

/// A request that is under way.
pub(super) struct InFlight {
    requests: Rc<Requests>,
    key: usize,
}

impl InFlight {
    /// The connection that its response comes by from now on, if any.
    pub(super) fn set_upstream(&self, connection: Option<AbortHandle>) {
        self.requests.0.borrow_mut()[self.key].upstream = connection;
    }

    /// Ready when it has to end.
    pub(super) fn poll_over(&self, cx: &Context<'_>) -> Poll<()> {
        let entry = &mut self.requests.0.borrow_mut()[self.key];
        if entry.is_over() {
            return Poll::Ready(());
        }
        match &mut entry.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Resolves when it has to end.
    pub(super) async fn over(&self) {
        poll_fn(|cx| self.poll_over(cx)).await;
    }

    /// What `work` comes to; `None` if the request has to end before.
    pub(super) async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| match self.poll_over(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => work.as_mut().poll(cx).map(Some),
        })
        .await
    }
}

impl Entry {
    /// The flag counts as soon as it is set, whether the worker has heard of it or not.
    fn is_over(&self) -> bool {
        self.over || self.lifetimes.are_ended()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.requests.0.borrow_mut().remove(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifetime::{EndNotifier, Lifetime};
    use std::future::{pending, ready};
    use std::sync::Arc;
    use tokio::task::{LocalSet, spawn_local};

    fn of(session: &Arc<Lifetime>) -> Lifetimes {
        Lifetimes {
            session: Some(session.clone()),
            access: None,
        }
    }

    #[tokio::test]
    async fn what_was_ended_before_it_began_does_nothing() {
        let (requests, notifier) = (Rc::new(Requests::default()), EndNotifier::new());
        let session = notifier.lifetime(None);
        let before = requests.begin(of(&session));
        session.end();
        let after = requests.begin(of(&session));
        for request in [before, after] {
            let work = async { panic!("it is asked") };
            assert_eq!(request.unless_over(work).await, None::<()>);
        }
        let other = requests.begin(Lifetimes::default());
        assert_eq!(other.unless_over(ready(1)).await, Some(1));
    }

    #[tokio::test]
    async fn each_hears_of_its_own_end() {
        let local = LocalSet::new();
        local.run_until(hears_of_its_own_end()).await;
    }

    async fn hears_of_its_own_end() {
        let (requests, notifier) = (Rc::new(Requests::default()), EndNotifier::new());
        let watched = requests.clone();
        let ends = notifier.subscribe();
        spawn_local(async move { watched.watch(ends).await });
        let soon = Timestamp::now().after(Duration::from_millis(100));
        let (ended, kept) = (notifier.lifetime(None), notifier.lifetime(None));
        let begin = |lifetime: &Arc<Lifetime>| {
            let request = requests.begin(of(lifetime));
            spawn_local(async move { request.unless_over(pending::<()>()).await })
        };
        let (first, second) = (begin(&ended), begin(&kept));
        let expires = begin(&notifier.lifetime(Some(soon)));
        tokio::task::yield_now().await;
        ended.end();
        assert_eq!(first.await.unwrap(), None);
        assert_eq!(expires.await.unwrap(), None);
        assert!(!second.is_finished());
        assert_eq!(requests.0.borrow().len(), 1);
    }

    #[test]
    fn a_request_takes_the_place_of_one_before() {
        let requests = Rc::new(Requests::default());
        for _ in 0..1000 {
            drop([0; 3].map(|_| requests.begin(Lifetimes::default())));
        }
        assert!(requests.0.borrow().is_empty());
        assert!(requests.0.borrow().capacity() < 10);
    }
}
