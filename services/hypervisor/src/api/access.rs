//! How it is told who may look at a sandbox, and where it is.

use crate::access::Access;
use crate::role::Role;
use crate::routes::Workspace;
use axum::Json;
use serde::Serialize;

/// Who may look at a sandbox, and where it is found.
#[derive(Serialize)]
pub(super) struct AccessView {
    workspace: String,
    role: Role,
    access: Access,
    url: String,
}

impl AccessView {
    pub(super) fn of(workspace: &Workspace, role: Role) -> Json<Self> {
        Json(Self {
            workspace: workspace.name.to_string(),
            role,
            access: workspace.access(role),
            url: workspace.site(role).url.clone(),
        })
    }
}
