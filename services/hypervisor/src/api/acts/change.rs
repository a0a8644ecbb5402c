//! The acts that change a workspace's routes, releases and volumes.

use super::super::{Api, sandboxes};
use crate::auth::{Confirmed, Session};
use crate::error::HttpError;
use crate::role::Role;
use crate::routes::{
    ChangeOutcome, ForkOrder, PromoteOrder, RestoreOrder, Routes, SwapOrder, SwapOutcome,
    UndoOrder, Workspace,
};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt::Display;
use std::sync::Arc;
use uuid::Uuid;

/// Whose workspace, and what is ordered.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Map<String, Value>", bound = "O: DeserializeOwned")]
pub struct Of<O> {
    user_id: Uuid,
    order: O,
}

/// `user_id` beside what an order has.
impl<O: DeserializeOwned> TryFrom<Map<String, Value>> for Of<O> {
    type Error = serde_json::Error;

    fn try_from(mut fields: Map<String, Value>) -> Result<Self, Self::Error> {
        let user_id = fields.remove("user_id");
        let user_id = user_id.ok_or_else(|| serde_json::Error::missing_field("user_id"))?;
        Ok(Self {
            user_id: serde_json::from_value(user_id)?,
            order: serde_json::from_value(fields.into())?,
        })
    }
}

/// What can be ordered of a workspace.
pub trait Order: DeserializeOwned {
    /// The word of the audit log.
    const EVENT: &'static str;
    /// What it answers.
    type Outcome: Display + Serialize;

    /// What will happen, in a sentence.
    fn sentence(&self, workspace: &Workspace) -> String;

    /// Does it.
    fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> impl Future<Output = Result<Self::Outcome, HttpError>> + Send;
}

impl<O: Order> Of<O> {
    pub(super) async fn check(&self, api: &Api, session: &Session) -> Result<String, HttpError> {
        let workspace = sandboxes::owned(api, session, self.user_id).await?;
        Ok(self.order.sentence(&workspace))
    }

    pub(super) async fn perform(self, api: &Api, by: Confirmed) -> Result<O::Outcome, HttpError> {
        api.auth.recheck(&by).await?;
        let user = by.session.user.username.clone();
        let workspace = sandboxes::owned(api, &by.session, self.user_id).await?;
        let outcome = self.order.give(&api.routes, &workspace, &user).await?;
        let done = format!("{outcome} by {user}");
        api.auth.audit_act(O::EVENT, self.user_id, by, done).await;
        Ok(outcome)
    }
}

impl Order for SwapOrder {
    const EVENT: &'static str = "swapped";
    type Outcome = SwapOutcome;

    fn sentence(&self, workspace: &Workspace) -> String {
        let pair = workspace.pair();
        let (live, dev) = (pair.live.sandbox.name(), pair.dev.sandbox.name());
        let unless = if self.force {
            "even if it is not healthy"
        } else {
            "if it is healthy"
        };
        format!(
            "Swap live and dev of the workspace {}: {dev} becomes live with its own data, {unless}, and {live} becomes dev with the data that live had.",
            workspace.name
        )
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<SwapOutcome, HttpError> {
        Ok(routes.swap(workspace, self, by).await?)
    }
}

impl Order for PromoteOrder {
    const EVENT: &'static str = "promoted";
    type Outcome = ChangeOutcome;

    fn sentence(&self, workspace: &Workspace) -> String {
        let pair = workspace.pair();
        let release = self.release.unwrap_or_else(|| pair.dev.sandbox.release());
        let first = if self.rehearse {
            " It is tried first in dev, whose data become a copy of live's."
        } else {
            ""
        };
        format!(
            "Promote release {release} to live of the workspace {}, which has release {} now. Live's data stay.{first}",
            workspace.name,
            pair.live.sandbox.release()
        )
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<ChangeOutcome, HttpError> {
        Ok(routes.promote(workspace, self, by).await?)
    }
}

impl Order for UndoOrder {
    const EVENT: &'static str = "promotion_undone";
    type Outcome = ChangeOutcome;

    fn sentence(&self, workspace: &Workspace) -> String {
        let data = if self.with_data {
            "Its data become what they were before the promotion; what was written since is kept as a snapshot."
        } else {
            "Its data stay as they are."
        };
        format!(
            "Undo the last promotion of the workspace {}: live gets the release back that it had before. {data}",
            workspace.name
        )
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<ChangeOutcome, HttpError> {
        Ok(routes.undo(workspace, self, by).await?)
    }
}

impl Order for ForkOrder {
    const EVENT: &'static str = "forked";
    type Outcome = ChangeOutcome;

    fn sentence(&self, workspace: &Workspace) -> String {
        format!(
            "Fork the workspace {}: dev's data become a copy of live's; what dev has now is kept as a snapshot.",
            workspace.name
        )
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<ChangeOutcome, HttpError> {
        Ok(routes.fork(workspace, self, by).await?)
    }
}

impl Order for RestoreOrder {
    const EVENT: &'static str = "restored";
    type Outcome = ChangeOutcome;

    fn sentence(&self, workspace: &Workspace) -> String {
        let first = match self.role {
            Role::Live if self.rehearse => " They are tried first in dev, whose data they become.",
            _ => "",
        };
        format!(
            "Restore the {} sandbox of the workspace {}: its data become those of the snapshot {}; what it has now is kept as a snapshot.{first}",
            self.role, workspace.name, self.snapshot
        )
    }

    async fn give(
        self,
        routes: &Arc<Routes>,
        workspace: &Arc<Workspace>,
        by: &str,
    ) -> Result<ChangeOutcome, HttpError> {
        Ok(routes.restore(workspace, self, by).await?)
    }
}
