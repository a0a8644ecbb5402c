//! Errors as the operator is told them: with what is wrong inside, which nobody else hears.

use super::Api;
use crate::auth::AuthError;
use crate::error::HttpError;
use crate::routes::{AccessError, ChangeError, StopError, SwapError, Workspace};
use crate::runtime::RuntimeError;
use crate::store::StoreError;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use std::sync::Arc;

/// Who does what is ordered at the socket.
pub(super) const OPERATOR: &str = "the operator";

/// Why an operator's order is not done.
#[derive(Debug)]
pub(super) struct Refused(HttpError);

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, said: impl Into<String>) -> Self {
        Self(HttpError::new(status, code, said))
    }

    fn by_store(said: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", said)
    }
}

/// An order of another version's command.
pub(super) async fn unknown() -> Refused {
    let said = "this gateway does not know the order; it is of another version than the command, so restart it";
    Refused::new(StatusCode::NOT_FOUND, "not_found", said)
}

impl From<HttpError> for Refused {
    fn from(error: HttpError) -> Self {
        Self(error)
    }
}

impl From<PathRejection> for Refused {
    fn from(error: PathRejection) -> Self {
        Self(error.into())
    }
}

impl From<RuntimeError> for Refused {
    fn from(error: RuntimeError) -> Self {
        Self(error.into())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::by_store(format!("{error}. Nothing was changed"))
    }
}

impl From<SwapError> for Refused {
    fn from(error: SwapError) -> Self {
        match error {
            SwapError::Store(_) => Self::by_store(error.to_string()),
            error => Self(error.into()),
        }
    }
}

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(_) => Self::by_store(error.to_string()),
            error => Self(error.into()),
        }
    }
}

impl From<StopError> for Refused {
    fn from(error: StopError) -> Self {
        match error {
            StopError::Store(error) => error.into(),
            StopError::Runtime(error) => error.into(),
        }
    }
}

impl From<AccessError> for Refused {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Store(error) => error.into(),
            error @ AccessError::Shared(_) => Self(error.into()),
        }
    }
}

impl From<AuthError> for Refused {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Store(error) => error.into(),
            error if error.is_internal() => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self::new(status, "internal", error.to_string())
            }
            error => Self(error.into()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// The workspace of that name.
pub(super) fn named(api: &Api, workspace: &str) -> Result<Arc<Workspace>, Refused> {
    api.routes.named(workspace).ok_or_else(|| {
        let said = if api.routes.is_retired(workspace) {
            format!(
                "workspace {workspace} is kept, but not declared; declare `workspaces.{workspace}` again and restart the gateway"
            )
        } else {
            format!("there is no workspace {workspace}; `hypervisor sandboxes` lists them")
        };
        Refused::new(StatusCode::NOT_FOUND, "no_workspace", said)
    })
}
