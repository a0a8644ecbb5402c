//! What sandboxes use.

use super::table::Routes;
use crate::runtime::{Sandbox, Usage};
use std::sync::Arc;

impl Routes {
    /// What each of them uses; of the disk as much as is known.
    pub async fn usage(&self, sandboxes: &[Arc<Sandbox>]) -> Vec<Option<Usage>> {
        self.runtime.usage(sandboxes).await
    }

    /// The same of one, whose disk is looked at as well.
    pub async fn usage_of(&self, sandbox: &Arc<Sandbox>) -> Option<Usage> {
        self.runtime.usage_of(sandbox).await
    }
}
