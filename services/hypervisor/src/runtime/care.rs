//! Who looks after the sandboxes.

use super::adopt;
use super::backend::Backend;
use super::board::Board;
use super::orders::{Order, Orders};
use super::supervisor::Supervisor;
use futures_channel::mpsc::UnboundedSender;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Adopted sandboxes that are probed at a time, beside those that requests wait for: enough that
/// some that hang do not hold up the others.
const PROBES: usize = 128;

/// Who looks after the sandboxes, each with a task of its own.
pub(super) enum Care {
    /// Supervisors, which have the backend start and stop them.
    Supervise(Arc<dyn Backend>),
    /// Something else. They are only watched, so many at a time.
    Watch(Arc<Semaphore>),
}

impl Care {
    pub(super) fn new(backend: Option<Arc<dyn Backend>>) -> Self {
        let watch = || Self::Watch(Arc::new(Semaphore::new(PROBES)));
        backend.map_or_else(watch, Self::Supervise)
    }

    /// Whether a sandbox may run without an order from here, and is to be looked for.
    pub(super) fn is_needed_at_once(&self) -> bool {
        match self {
            Self::Supervise(backend) => backend.outlives(),
            Self::Watch(_) => true,
        }
    }

    /// Begins to look after this one, as it is ordered from now on. Needs a Tokio runtime.
    pub(super) fn take_on(&self, board: Arc<Board>) -> UnboundedSender<Order> {
        let (sender, orders) = Orders::channel();
        match self {
            Self::Supervise(backend) => {
                let supervisor = Supervisor::new(board, Arc::clone(backend), orders);
                tokio::spawn(supervisor.run());
            }
            Self::Watch(turns) => {
                tokio::spawn(adopt::watch(board, orders, Arc::clone(turns)));
            }
        }
        sender
    }
}
