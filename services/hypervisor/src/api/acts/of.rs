//! The acts that are orders.

use super::super::order::Order;
use super::super::{Api, sandboxes};
use crate::auth::{Confirmed, Session};
use crate::error::HttpError;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};
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

impl<O: Order> Of<O> {
    pub(super) async fn check(&self, api: &Api, session: &Session) -> Result<String, HttpError> {
        let workspace = sandboxes::owned(api, session, self.user_id).await?;
        Ok(self.order.sentence(&workspace))
    }

    pub(super) async fn perform(self, api: &Api, by: Confirmed) -> Result<O::Outcome, HttpError> {
        api.auth.recheck(&by).await?;
        let user = by.session.user.username.clone();
        let workspace = sandboxes::owned(api, &by.session, self.user_id).await?;
        let given = self.order.give(&api.routes, &workspace, &user).await;
        let outcome = given.map_err(Into::into)?;
        let done = format!("{outcome} by {user}");
        api.auth.audit_act(O::EVENT, self.user_id, by, done).await;
        Ok(outcome)
    }
}
