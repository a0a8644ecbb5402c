//! The act `swap`.

use super::super::{Api, sandboxes};
use crate::auth::{Confirmed, Session};
use crate::error::HttpError;
use crate::routes::{SwapOrder, SwapOutcome};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Whose workspace, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Swap {
    user_id: Uuid,
    order: SwapOrder,
}

/// `user_id` beside what an order has.
impl TryFrom<Map<String, Value>> for Swap {
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

impl Swap {
    /// What will happen, in a sentence.
    pub(super) async fn check(&self, api: &Api, session: &Session) -> Result<String, HttpError> {
        let workspace = sandboxes::owned(api, session, self.user_id).await?;
        let pair = workspace.pair();
        let (live, dev) = (pair.live.sandbox.name(), pair.dev.sandbox.name());
        let unless = if self.order.force {
            "even if it is not healthy"
        } else {
            "if it is healthy"
        };
        Ok(format!(
            "Swap live and dev of the workspace {}: {dev} becomes live, {unless}, and {live} becomes dev.",
            workspace.name
        ))
    }

    pub(super) async fn perform(self, api: &Api, by: Confirmed) -> Result<SwapOutcome, HttpError> {
        api.auth.recheck(&by).await?;
        let session = &by.session;
        let workspace = sandboxes::owned(api, session, self.user_id).await?;
        let swapped = api.routes.swap(&workspace, self.order).await?;
        let done = format!("{swapped} by {}", session.user.username);
        api.auth.audit_act("swapped", self.user_id, by, done).await;
        Ok(swapped)
    }
}
