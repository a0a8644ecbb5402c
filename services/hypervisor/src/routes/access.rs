//! How it is changed who may look at a sandbox.

use super::route::Workspace;
use super::table::Routes;
use crate::access::Access;
use crate::config::Origins;
use crate::role::Role;
use crate::store::StoreError;
use std::sync::{Arc, PoisonError};
use tracing::info;

/// Why access was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// All sandboxes are at one address, which asks everybody who they are.
    #[error(
        "with origins = \"shared\" only members can look at a sandbox; for `{0}` have the operator set origins = \"own\""
    )]
    Shared(Access),
    /// The store refused; nothing was changed.
    #[error("the store does not answer: {0}")]
    Store(#[from] StoreError),
}

impl Routes {
    /// Whether this can be set at all.
    ///
    /// # Errors
    /// [`AccessError::Shared`].
    pub fn may_set_access(&self, access: Access) -> Result<(), AccessError> {
        if self.config.origins == Origins::Shared && access != Access::Members {
            return Err(AccessError::Shared(access));
        }
        Ok(())
    }

    /// Says who may look at the sandbox that has this role, now and after each swap. The next
    /// request is treated so.
    ///
    /// # Errors
    /// Whatever the error, nothing was changed.
    pub async fn set_access(
        &self,
        workspace: &Arc<Workspace>,
        role: Role,
        access: Access,
    ) -> Result<(), AccessError> {
        self.may_set_access(access)?;
        let workspace = workspace.clone();
        // One piece of work, which also ends when the caller is gone.
        let set = self.store.run(move |store| {
            let table = &workspace.access;
            let _one = table.writing.lock().unwrap_or_else(PoisonError::into_inner);
            store.set_access(&workspace.name, role, access)?;
            table.set(role, access);
            info!(workspace = %workspace.name, %role, %access, "access set");
            Ok::<_, StoreError>(())
        });
        Ok(set.await?)
    }
}
