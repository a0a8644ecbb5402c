//! The releases of workspaces, whatever keeps them.

use super::backend::Backend;
use super::supervision::Supervision;
use super::{Release, ReleaseContent, Runtime, RuntimeError, Sandbox};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Runtime {
    /// The releases of a workspace, oldest first.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`] if nothing here knows them, [`RuntimeError::Releases`] if
    /// they cannot be read.
    pub async fn releases(&self, workspace: &str) -> Result<Vec<Release>, RuntimeError> {
        self.keeper()?.releases(workspace).await
    }

    /// Adds a release: this command (none: the `sandbox` program beside the hypervisor) with this
    /// environment beside what every sandbox gets. One that is the same as the newest is that one.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`] if releases come from elsewhere,
    /// [`RuntimeError::InvalidRelease`] if this could not run, [`RuntimeError::Releases`] if it
    /// cannot be kept.
    pub async fn add_release(
        &self,
        workspace: &str,
        command: Vec<String>,
        env: BTreeMap<String, String>,
        by: &str,
    ) -> Result<Release, RuntimeError> {
        self.keeper()?
            .add_release(workspace, command, env, by)
            .await
    }

    /// The release that the config or the deployment declares for a workspace, added if it is
    /// new; 0 where releases are not kept here.
    ///
    /// # Errors
    /// [`RuntimeError::Releases`] if it cannot be read or kept.
    pub async fn declared_release(&self, workspace: &str) -> Result<u64, RuntimeError> {
        match &*self.supervision {
            Supervision::Watch(_) => Ok(0),
            Supervision::Supervise(backend) => backend.declared_release(workspace).await,
        }
    }

    /// The release that the host itself would start the sandbox with, where it keeps that.
    ///
    /// # Errors
    /// [`RuntimeError::Releases`] if it cannot be read.
    pub async fn pinned_release(&self, sandbox: &Sandbox) -> Result<Option<u64>, RuntimeError> {
        match &*self.supervision {
            Supervision::Watch(_) => Ok(None),
            Supervision::Supervise(backend) => backend.pinned_release(sandbox.spec()).await,
        }
    }

    /// What a release is, so that another machine can have the same.
    ///
    /// # Errors
    /// As for [`Runtime::releases`]; [`RuntimeError::NoRelease`].
    pub async fn release_content(
        &self,
        workspace: &str,
        number: u64,
    ) -> Result<ReleaseContent, RuntimeError> {
        self.keeper()?.release_content(workspace, number).await
    }

    /// The number of the release that is just this, which another machine has.
    ///
    /// # Errors
    /// [`RuntimeError::InvalidRelease`] if there is none here, and none can be made.
    pub async fn release_of(
        &self,
        workspace: &str,
        content: ReleaseContent,
        by: &str,
    ) -> Result<u64, RuntimeError> {
        self.keeper()?.release_of(workspace, content, by).await
    }

    fn keeper(&self) -> Result<&Arc<dyn Backend>, RuntimeError> {
        match &*self.supervision {
            Supervision::Supervise(backend) => Ok(backend),
            Supervision::Watch(_) => Err(RuntimeError::Unsupported(
                "runtime.kind is `adopt`: something else runs the sandboxes, and has their releases; change them there".to_owned(),
            )),
        }
    }
}
