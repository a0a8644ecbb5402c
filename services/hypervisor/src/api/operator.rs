//! Errors as the operator is told them: with what is wrong inside, which nobody else hears.

use super::Api;
use crate::error::HttpError;
use crate::routes::Workspace;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use std::sync::Arc;

/// Why an operator's order is not done.
#[derive(Debug)]
pub(super) struct Refused(HttpError);

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, said: impl Into<String>) -> Self {
        Self(HttpError::new(status, code, said))
    }
}

/// An order of another version's command.
pub(super) async fn unknown() -> Refused {
    let said = "this gateway does not know the order; it is of another version than the command, so restart it";
    Refused::new(StatusCode::NOT_FOUND, "not_found", said)
}

impl<E: Into<HttpError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.for_operator().into_response()
    }
}

/// The workspace of that name.
pub(super) fn named(api: &Api, workspace: &str) -> Result<Arc<Workspace>, HttpError> {
    api.routes.named(workspace).ok_or_else(|| {
        let said = if api.routes.is_retired(workspace) {
            format!(
                "workspace {workspace} is kept, but not declared; declare `workspaces.{workspace}` again and restart the gateway"
            )
        } else {
            format!("there is no workspace {workspace}; `hypervisor sandboxes` lists them")
        };
        HttpError::new(StatusCode::NOT_FOUND, "no_workspace", said)
    })
}
