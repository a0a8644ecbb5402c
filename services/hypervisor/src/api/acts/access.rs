//! The act `set_access`.

use super::super::access::AccessView;
use super::super::{Api, sandboxes};
use crate::access::Access;
use crate::auth::{Confirmed, Session};
use crate::error::HttpError;
use crate::role::Role;
use axum::Json;
use serde::Deserialize;
use uuid::Uuid;

/// Whose sandbox, and who may look at it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAccess {
    user_id: Uuid,
    role: Role,
    access: Access,
}

impl SetAccess {
    /// What will happen, in a sentence.
    pub(super) async fn check(&self, api: &Api, session: &Session) -> Result<String, HttpError> {
        let workspace = sandboxes::owned(api, session, self.user_id).await?;
        api.routes.may_set_access(self.access)?;
        let who = match self.access {
            Access::Members => "the members of the workspace alone",
            Access::Users => "everybody who is logged in on this server",
            Access::Public => "everybody, without logging in,",
        };
        let (role, name) = (self.role, &workspace.name);
        Ok(format!(
            "Let {who} open the {role} sandbox of the workspace {name}."
        ))
    }

    pub(super) async fn perform(
        self,
        api: &Api,
        by: Confirmed,
    ) -> Result<Json<AccessView>, HttpError> {
        api.auth.recheck(&by).await?;
        let (session, role, access) = (&by.session, self.role, self.access);
        let workspace = sandboxes::owned(api, session, self.user_id).await?;
        let before = workspace.access(role);
        api.routes.set_access(&workspace, role, access).await?;
        let (name, user) = (&workspace.name, &session.user.username);
        let done = format!("{role} of {name} from {before} to {access} by {user}");
        api.auth
            .audit_act("access_set", self.user_id, by, done)
            .await;
        Ok(AccessView::of(&workspace, role))
    }
}
