//! Who looks after the sandboxes.

use super::adopt::Watch;
use super::backend::Backend;
use std::sync::Arc;

/// Who looks after the sandboxes.
pub(super) enum Supervision {
    /// Supervisors, one for each that was ever wanted, which have the backend start and stop it.
    Supervise(Arc<dyn Backend>),
    /// Something else. They are only watched.
    Watch(Watch),
}

impl Supervision {
    pub(super) fn new(backend: Option<Arc<dyn Backend>>) -> Self {
        backend.map_or_else(|| Self::Watch(Watch::new()), Self::Supervise)
    }
}
