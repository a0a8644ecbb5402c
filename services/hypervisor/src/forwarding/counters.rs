//! How often other machines were asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// By the names of the machines.
pub(super) struct Counters(BTreeMap<String, [AtomicU64; 2]>);

/// How often one was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Requests that it answered.
    pub carried: u64,
    /// Those that it did not.
    pub failed: u64,
}

impl Counters {
    pub(super) fn of<'a>(machines: impl Iterator<Item = &'a String>) -> Self {
        Self(
            machines
                .map(|name| (name.clone(), Default::default()))
                .collect(),
        )
    }

    pub(super) fn count(&self, machine: &str, is_answered: bool) {
        if let Some([carried, failed]) = self.0.get(machine) {
            let count = if is_answered { carried } else { failed };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Counts)> {
        self.0.iter().map(|(machine, counts)| {
            let [carried, failed] = counts.each_ref().map(|it| it.load(Ordering::Relaxed));
            (&**machine, Counts { carried, failed })
        })
    }
}
