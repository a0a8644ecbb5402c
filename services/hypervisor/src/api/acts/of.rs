//! The acts that are orders, and the workspaces that they are about.

use super::super::named::named;
use super::super::order::Order;
use super::super::{Api, sandboxes};
use crate::auth::{Actor, Caller};
use crate::error::HttpError;
use crate::routes::{Routes, Workspace};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt::Display;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// Which workspace, and what is ordered.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(try_from = "Map<String, Value>", bound = "O: DeserializeOwned")]
pub struct Of<O> {
    #[schema(inline)]
    #[serde(flatten)]
    target: Target,
    #[schema(inline)]
    #[serde(flatten)]
    order: O,
}

/// A workspace.
#[derive(Debug, Clone, ToSchema)]
enum Target {
    /// Of whom: the one that this user is led to. Either this or `workspace` is there.
    #[schema(rename = "user_id")]
    User(Uuid),
    /// Which, by its name. Either this or `user_id` is there.
    #[schema(rename = "workspace")]
    Named(String),
}

/// `user_id` or `workspace` beside what an order has.
impl<O: DeserializeOwned> TryFrom<Map<String, Value>> for Of<O> {
    type Error = serde_json::Error;

    fn try_from(mut fields: Map<String, Value>) -> Result<Self, Self::Error> {
        let target = match (fields.remove("user_id"), fields.remove("workspace")) {
            (Some(user_id), None) => Target::User(serde_json::from_value(user_id)?),
            (None, Some(name)) => Target::Named(serde_json::from_value(name)?),
            (None, None) => {
                let said =
                    "say whose workspace it is about with `user_id`, or which with `workspace`";
                return Err(serde_json::Error::custom(said));
            }
            (Some(_), Some(_)) => {
                let said = "say `user_id` or `workspace`, not both";
                return Err(serde_json::Error::custom(said));
            }
        };
        Ok(Self {
            target,
            order: serde_json::from_value(fields.into())?,
        })
    }
}

impl Target {
    /// The workspace, if the caller may steer it.
    async fn find(&self, api: &Api, caller: &Caller) -> Result<Arc<Workspace>, HttpError> {
        match self {
            Self::User(id) => sandboxes::owned(api, caller, *id).await,
            Self::Named(name) => steered(api, caller, name),
        }
    }
}

/// The workspace of this name, if the caller may steer it: its members and admins do.
pub(in crate::api) fn steered(
    api: &Api,
    caller: &Caller,
    name: &str,
) -> Result<Arc<Workspace>, HttpError> {
    caller.require_workspace(name)?;
    if caller.is_admin() {
        return named(api, name);
    }
    let found = api.routes.named(name).filter(|workspace| {
        let user = caller.user();
        user.is_some_and(|user| api.routes.is_member(user.id, workspace))
    });
    found.ok_or_else(|| {
        HttpError::new(
            StatusCode::FORBIDDEN,
            "not_yours",
            format!("there is no workspace {name} of yours; the account page lists those that are"),
        )
    })
}

impl<O: Order> Of<O> {
    pub(super) async fn check(&self, api: &Api, caller: &Caller) -> Result<String, HttpError> {
        let workspace = self.target.find(api, caller).await?;
        self.order.sentence(&api.routes, &workspace)
    }

    /// Has `give` do it, and tells the workspace's members in the audit log as `event`.
    pub(super) async fn perform<T: Display + Serialize, E: Into<HttpError>>(
        self,
        api: &Api,
        by: &Actor,
        event: &str,
        give: impl AsyncFnOnce(&Arc<Routes>, &Arc<Workspace>, O, &str) -> Result<T, E>,
    ) -> Result<Response, HttpError> {
        let caller = api.auth.recheck(by).await?;
        let workspace = self.target.find(api, &caller).await?;
        let name = caller.name();
        let given = give(&api.routes, &workspace, self.order, &name).await;
        let outcome = given.map_err(Into::into)?;
        let row = by.audit_row(event, None, format!("{outcome} by {name}"));
        api.routes.audit(&workspace, row).await;
        Ok(Json(outcome).into_response())
    }
}
