//! Sandboxes that a person stopped: they stay so until a person starts them.

use super::error::StopError;
use super::hold::RoleHold;
use super::route::Workspace;
use super::table::Routes;
use crate::config::RuntimeKind;
use crate::role::Role;
use crate::runtime::{RuntimeError, Sandbox, StoppedBy};
use crate::store::{StoppedRow, StoreError};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use tracing::warn;

impl Routes {
    /// Stops a role's sandbox, which no request starts from now on. Nothing to do if it is so.
    ///
    /// # Errors
    /// The store's; or it cannot be stopped, and then requests may start it as before.
    pub async fn stop(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        role: Role,
        by: &str,
    ) -> Result<Arc<Sandbox>, StopError> {
        let sandbox = workspace.pair().route(role).sandbox.clone();
        let row = StoppedRow {
            sandbox: sandbox.name().to_owned(),
            workspace: workspace.name.to_string(),
            by: by.to_owned(),
            at: Timestamp::now(),
        };
        self.store
            .run({
                let row = row.clone();
                move |store| store.set_stopped(&row)
            })
            .await?;
        // First, so that an open tab does not start it again in between.
        sandbox.set_stopped_by(Some(StoppedBy {
            by: row.by,
            at: row.at,
        }));
        // What has no end of its own need not be waited for. A change that is at work sees to that.
        let changing = workspace.changing.try_lock();
        let is_ours = self.config.runtime.kind != RuntimeKind::Adopt;
        let holds = changing.is_ok() && is_ours;
        let hold = holds.then(|| RoleHold::begin(self, workspace, role));
        let stopped = sandbox.stop().await;
        drop(hold);
        drop(changing);
        if let Err(error) = stopped {
            self.let_run(workspace, &sandbox).await?;
            return Err(error.into());
        }
        Ok(sandbox)
    }

    /// Starts a role's sandbox, and requests may do so again. A change that is at work comes first.
    ///
    /// # Errors
    /// The store's; or why it does not run.
    pub async fn start(
        &self,
        workspace: &Workspace,
        role: Role,
    ) -> Result<Arc<Sandbox>, StopError> {
        let changing = workspace
            .gone
            .run_until_cancelled(workspace.changing.lock());
        let Some(_only) = changing.await else {
            let sandbox = workspace.pair().route(role).sandbox.name().to_owned();
            return Err(RuntimeError::Reserved { sandbox }.into());
        };
        let sandbox = workspace.pair().route(role).sandbox.clone();
        self.let_run(workspace, &sandbox).await?;
        sandbox.start().await?;
        Ok(sandbox)
    }

    async fn let_run(&self, workspace: &Workspace, sandbox: &Sandbox) -> Result<(), StoreError> {
        let (workspace, name) = (workspace.name.clone(), sandbox.name().to_owned());
        self.store
            .run(move |store| store.unset_stopped(&workspace, &name))
            .await?;
        sandbox.set_stopped_by(None);
        Ok(())
    }

    /// Remembers who stopped what. What the host has started meanwhile, as at a reboot, is stopped
    /// again.
    pub(super) async fn keep_stopped(&self) -> Result<(), StoreError> {
        for row in self.store.run(|store| store.stopped()).await? {
            let Some(workspace) = self.named(&row.workspace) else {
                continue;
            };
            let pair = workspace.pair();
            let mut both = pair.both().into_iter();
            let Some(route) = both.find(|route| route.sandbox.name() == row.sandbox) else {
                continue;
            };
            let sandbox = route.sandbox.clone();
            let stopped = StoppedBy {
                by: row.by,
                at: row.at,
            };
            sandbox.set_stopped_by(Some(stopped.clone()));
            tokio::spawn(async move {
                if let Err(error) = sandbox.stop().await {
                    warn!(sandbox = sandbox.name(), %error, "is not stopped");
                }
                // That the host had started it is no order of a person's.
                sandbox.set_stopped_by(Some(stopped));
            });
        }
        Ok(())
    }
}
