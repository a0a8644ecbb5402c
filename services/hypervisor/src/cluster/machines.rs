//! The machines as they were a moment ago, for those who cannot wait for the store.

use crate::store::MachineRow;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// All that have the store.
#[derive(Debug, Default)]
pub struct Machines(ArcSwap<Vec<MachineRow>>);

impl Machines {
    /// By name; none where there is but one that has no name.
    pub fn all(&self) -> Arc<Vec<MachineRow>> {
        self.0.load_full()
    }

    pub(super) fn set(&self, mut all: Vec<MachineRow>) {
        all.retain(|machine| !machine.name.is_empty());
        self.0.store(Arc::new(all));
    }
}
