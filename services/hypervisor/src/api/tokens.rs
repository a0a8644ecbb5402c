//! Lists of tokens: one's own, and for the operator a user's.

use super::Api;
use crate::auth::{Principal, TokenView};
use crate::error::{HttpError, Parameters};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

/// Your tokens that are good, newest first. What they are is told only when they are made.
#[utoipa::path(
    get, path = "/api/tokens", tag = "tokens", security(("session" = [])),
    responses((status = 200, description = "The tokens", body = [TokenView]))
)]
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
) -> Result<Json<Vec<TokenView>>, HttpError> {
    Ok(Json(api.auth.tokens_of(principal.user().id).await?))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    user: String,
}

/// Those of the user of this name, at the operator's socket.
pub(super) async fn of_user(
    State(api): State<Api>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<Vec<TokenView>>, HttpError> {
    let user = api.auth.user_named(&asked.user).await?;
    Ok(Json(api.auth.tokens_of(user.id).await?))
}
