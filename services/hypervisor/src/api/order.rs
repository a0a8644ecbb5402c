//! What can be ordered of a workspace's routes, releases and volumes: by the operator, or by an
//! owner with a passkey.

use crate::error::HttpError;
use crate::role::Role;
use crate::routes::{
    ChangeError, ChangeOutcome, ForkOrder, PromoteOrder, RestoreOrder, Routes, SwapError,
    SwapOrder, SwapOutcome, UndoOrder, Workspace,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::sync::Arc;

/// What can be ordered of a workspace.
pub trait Order: DeserializeOwned + Send + 'static {
    /// The word of the audit log.
    const EVENT: &'static str;
    /// What it answers.
    type Outcome: Display + Serialize + Send;
    /// Why it was not done.
    type Error: Into<HttpError> + Send;

    /// What will happen, in a sentence.
    ///
    /// # Errors
    /// Why it can't.
    fn sentence(&self, routes: &Routes, workspace: &Workspace) -> Result<String, Self::Error>;

    /// Does it.
    fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> impl Future<Output = Result<Self::Outcome, Self::Error>> + Send;
}

impl Order for SwapOrder {
    const EVENT: &'static str = "swapped";
    type Outcome = SwapOutcome;
    type Error = SwapError;

    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, SwapError> {
        let pair = workspace.pair();
        let (live, dev) = (pair.live.sandbox.name(), pair.dev.sandbox.name());
        let unless = if self.force {
            "even if it is not healthy"
        } else {
            "if it is healthy"
        };
        Ok(format!(
            "Swap live and dev of the workspace {}: {dev} becomes live with its own data, {unless}, and {live} becomes dev with the data that live had.",
            workspace.name
        ))
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<SwapOutcome, SwapError> {
        routes.swap(workspace, self, by).await
    }
}

impl Order for PromoteOrder {
    const EVENT: &'static str = "promoted";
    type Outcome = ChangeOutcome;
    type Error = ChangeError;

    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, ChangeError> {
        let pair = workspace.pair();
        let release = self.release.unwrap_or_else(|| pair.dev.sandbox.release());
        let first = if self.rehearse {
            " It is tried first in dev, whose data become a copy of live's."
        } else {
            ""
        };
        Ok(format!(
            "Promote release {release} to live of the workspace {}, which has release {} now. Live's data stay.{first}",
            workspace.name,
            pair.live.sandbox.release()
        ))
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        routes.promote(workspace, self, by).await
    }
}

impl Order for UndoOrder {
    const EVENT: &'static str = "promotion_undone";
    type Outcome = ChangeOutcome;
    type Error = ChangeError;

    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, ChangeError> {
        let data = if self.with_data {
            "Its data become what they were before the promotion; what was written since is kept as a snapshot."
        } else {
            "Its data stay as they are."
        };
        Ok(format!(
            "Undo the last promotion of the workspace {}: live gets the release back that it had before. {data}",
            workspace.name
        ))
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        routes.undo(workspace, self, by).await
    }
}

impl Order for ForkOrder {
    const EVENT: &'static str = "forked";
    type Outcome = ChangeOutcome;
    type Error = ChangeError;

    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, ChangeError> {
        Ok(format!(
            "Fork the workspace {}: dev's data become a copy of live's; what dev has now is kept as a snapshot.",
            workspace.name
        ))
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        routes.fork(workspace, self, by).await
    }
}

impl Order for RestoreOrder {
    const EVENT: &'static str = "restored";
    type Outcome = ChangeOutcome;
    type Error = ChangeError;

    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, ChangeError> {
        let first = match self.role {
            Role::Live if self.rehearse => " They are tried first in dev, whose data they become.",
            _ => "",
        };
        Ok(format!(
            "Restore the {} sandbox of the workspace {}: its data become those of the snapshot {}; what it has now is kept as a snapshot.{first}",
            self.role, workspace.name, self.snapshot
        ))
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        routes.restore(workspace, self, by).await
    }
}
