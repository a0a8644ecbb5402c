//! The store for async code: each call runs where blocking is allowed.

use super::{Lease, Store, StoreError};
use std::sync::Arc;

/// A shared store.
#[derive(Clone)]
pub struct Handle(Arc<dyn Store>);

impl Handle {
    /// A handle on this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// What it is kept in.
    pub fn engine(&self) -> &'static str {
        self.0.engine()
    }

    /// Whether others may have it at the same time.
    pub fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    /// How well it is known what others change, where there may be others.
    pub fn lease(&self) -> Option<Lease> {
        self.0.lease()
    }

    /// Whether what one has of it in memory may still be gone by; a look at the clock.
    pub fn is_current(&self) -> bool {
        self.0.is_current()
    }

    /// How many calls failed because something is wrong with the store.
    pub fn errors(&self) -> u64 {
        self.0.errors()
    }

    /// Runs `work` on a thread that may block. Once begun it runs to its end, also when the
    /// caller is gone.
    ///
    /// # Errors
    /// The work's own; [`StoreError::Interrupted`] if it panics or the runtime shuts down.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&*store))
            .await
            .unwrap_or_else(|_| Err(StoreError::Interrupted.into()))
    }
}
