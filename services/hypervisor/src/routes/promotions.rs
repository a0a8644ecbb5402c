//! Promotions by what became of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// What becomes of a promotion.
#[derive(Debug, Clone, Copy)]
pub(super) enum Promoted {
    Done,
    TakenBack,
    Refused,
}

/// How many promotions came to what.
#[derive(Default)]
pub struct PromotionCounters([AtomicU64; 3]);

impl PromotionCounters {
    /// Each outcome, and how many promotions came to it.
    pub fn all(&self) -> [(&'static str, u64); 3] {
        let load = |it: Promoted| self.0[it as usize].load(Ordering::Relaxed);
        [
            ("done", load(Promoted::Done)),
            ("taken_back", load(Promoted::TakenBack)),
            ("refused", load(Promoted::Refused)),
        ]
    }

    pub(super) fn count(&self, promoted: Promoted) {
        self.0[promoted as usize].fetch_add(1, Ordering::Relaxed);
    }
}
