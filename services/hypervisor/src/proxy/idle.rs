//! A clock for bodies: runs only while nothing comes.

use super::LONGEST;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Expires when nothing was seen for so long.
pub(super) struct Idle {
    after: Duration,
    /// Made at the first wait: most bodies are ready when asked.
    sleep: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Idle {
    pub(super) fn new(after: Duration) -> Self {
        Self {
            after: after.min(LONGEST),
            sleep: None,
            waiting: false,
        }
    }

    /// Something came.
    pub(super) fn moved(&mut self) {
        self.waiting = false;
    }

    /// Nothing is there yet; ready once that has lasted too long.
    pub(super) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep(self.after)));
        if !self.waiting {
            self.waiting = true;
            sleep.as_mut().reset(Instant::now() + self.after);
        }
        sleep.as_mut().poll(cx)
    }
}
