//! A yes or no that can be waited for, a tenth of the size of a channel.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A yes or no.
pub(super) struct Switch {
    on: AtomicBool,
    changed: Notify,
}

impl Switch {
    pub(super) fn new(on: bool) -> Self {
        Self {
            on: AtomicBool::new(on),
            changed: Notify::new(),
        }
    }

    pub(super) fn set(&self, on: bool) {
        self.on.store(on, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Resolves when it is so.
    pub(super) async fn until(&self, on: bool) {
        loop {
            // First, so that no change is missed between the look and the wait.
            let changed = self.changed.notified();
            if self.on.load(Ordering::Acquire) == on {
                return;
            }
            changed.await;
        }
    }
}
