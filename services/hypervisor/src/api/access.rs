//! Who may look at a sandbox, and where it is: how it is told, and how it is set.

use super::order::Order;
use crate::access::Access;
use crate::error::HttpError;
use crate::role::Role;
use crate::routes::{AccessError, Routes, Workspace};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Who may look at a sandbox, and where it is found.
#[derive(Serialize)]
pub(super) struct AccessView {
    workspace: String,
    role: Role,
    access: Access,
    url: String,
}

impl AccessView {
    pub(super) fn of(workspace: &Workspace, role: Role) -> Self {
        Self {
            workspace: workspace.name.to_string(),
            role,
            access: workspace.access(role),
            url: workspace.site(role).url.clone(),
        }
    }
}

/// Who shall look at the sandbox of this role.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessOrder {
    /// Of which role.
    #[schema(inline)]
    pub role: Role,
    /// Who.
    #[schema(inline)]
    pub access: Access,
}

/// Who may look at it now.
#[derive(Serialize)]
pub struct AccessOutcome {
    #[serde(flatten)]
    now: AccessView,
    #[serde(skip)]
    before: Access,
}

impl fmt::Display for AccessOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { now, before } = self;
        let (role, workspace, access) = (now.role, &now.workspace, now.access);
        write!(f, "{role} of {workspace} from {before} to {access}")
    }
}

impl Order for AccessOrder {
    fn sentence(&self, routes: &Routes, workspace: &Workspace) -> Result<String, HttpError> {
        routes.may_set_access(self.access)?;
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
}

/// Lets these look at the sandbox of this role.
pub(super) async fn set(
    routes: &Arc<Routes>,
    workspace: &Arc<Workspace>,
    AccessOrder { role, access }: AccessOrder,
    _by: &str,
) -> Result<AccessOutcome, AccessError> {
    let before = workspace.access(role);
    routes.set_access(workspace, role, access).await?;
    let now = AccessView::of(workspace, role);
    Ok(AccessOutcome { now, before })
}
