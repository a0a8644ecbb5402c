//! How much a volume takes, remembered for a while.

use crate::timestamp::Timestamp;
use ::volumes::Usage;
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How often it is asked how much a volume takes, however many people look: that may be a walk
/// through all of it.
const DISK_EVERY: Duration = Duration::from_mins(1);
/// How much a volume takes, as it was seen last.
#[derive(Default)]
pub(super) struct Disk {
    last: ArcSwapOption<Look>,
    /// Held by the one who looks.
    pub(super) turn: Mutex<()>,
}

pub(super) struct Look {
    pub(super) asked: Instant,
    /// What was seen, and when; none if nothing ever was.
    pub(super) seen: Option<(Timestamp, Usage)>,
}

impl Disk {
    pub(super) fn is_fresh(&self) -> bool {
        let last = self.last.load();
        last.as_ref()
            .is_some_and(|look| look.asked.elapsed() < DISK_EVERY)
    }

    pub(super) fn seen(&self) -> Option<(Timestamp, Usage)> {
        self.last.load().as_ref()?.seen
    }

    pub(super) fn note(&self, look: Look) {
        self.last.store(Some(Arc::new(look)));
    }
}
