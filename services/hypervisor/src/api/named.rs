//! Workspaces, by name.

use super::Api;
use crate::error::HttpError;
use crate::routes::Workspace;
use http::StatusCode;
use std::sync::Arc;

/// The workspace of that name.
pub(super) fn named(api: &Api, workspace: &str) -> Result<Arc<Workspace>, HttpError> {
    api.routes.named(workspace).ok_or_else(|| {
        let said = if let Some(elsewhere) = api.routes.elsewhere(workspace) {
            format!(
                "the home of {workspace} is the machine {}; choose it on your account page, and then do that again",
                elsewhere.home
            )
        } else if api.routes.is_retired(workspace) {
            format!(
                "workspace {workspace} is kept, but not declared; declare `workspaces.{workspace}` again and restart the gateway"
            )
        } else {
            format!("there is no workspace {workspace}; `hypervisor sandboxes` lists them")
        };
        HttpError::new(StatusCode::NOT_FOUND, "no_workspace", said)
    })
}
