//! People, with search.

use super::super::Api;
use crate::auth::{Account, Caller};
use crate::error::{HttpError, Parameters};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// What a username or display name has in it; without it everybody is told.
    #[serde(default)]
    search: String,
}

/// Everybody who has an account, those who came first in front. For admins.
#[utoipa::path(
    get, path = "/api/users", tag = "people", params(Asked),
    security(("session" = []), ("token" = ["admin"])),
    responses((status = 200, description = "The people", body = [Account]))
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<Vec<Account>>, HttpError> {
    caller.require_admin()?;
    Ok(Json(api.auth.people(&asked.search).await?))
}
