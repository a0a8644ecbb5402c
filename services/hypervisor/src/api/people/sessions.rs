//! Sessions, for the operator.

use super::super::Api;
use crate::auth::SessionView;
use crate::error::{HttpError, Parameters};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// Whose, by username; without it everybody's.
    user: Option<String>,
}

pub(super) async fn all(
    State(api): State<Api>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<Vec<SessionView>>, HttpError> {
    let user = match asked.user {
        Some(name) => Some(api.auth.user_named(&name).await?),
        None => None,
    };
    Ok(Json(api.auth.sessions_of(user).await?))
}
