//! A clock for waits: runs only while nothing comes.

use super::LONGEST;
use crate::clock;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Expires when nothing was seen for so long.
///
/// Most waits are over long before, so the timer itself is left alone from one wait to the next:
/// it goes off when the first of them would have expired, and is then set for the present one.
pub(crate) struct IdleTimeout {
    after: Duration,
    /// When the present wait expires, by our own clock.
    expires: Option<Duration>,
    /// Made at the first wait: most bodies are ready when asked.
    timer: Option<Pin<Box<Sleep>>>,
}

impl IdleTimeout {
    pub(crate) fn new(after: Duration) -> Self {
        Self {
            after: after.min(LONGEST),
            expires: None,
            timer: None,
        }
    }

    /// Something came.
    pub(crate) fn moved(&mut self) {
        self.expires = None;
    }

    /// Waits as if nothing had come since then, by our own clock.
    pub(crate) fn restart(&mut self, since: Duration) {
        self.expires = Some(since + self.after);
    }

    /// Nothing is there yet; ready once that has lasted too long.
    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let after = self.after;
        let now = || clock::monotonic() + after;
        let expires = *self.expires.get_or_insert_with(now);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(after)));
        loop {
            ready!(timer.as_mut().poll(cx));
            match expires.checked_sub(clock::monotonic()) {
                Some(left) if !left.is_zero() => timer.as_mut().reset(Instant::now() + left),
                _ => return Poll::Ready(()),
            }
        }
    }
}
