//! `/api/tokens`: one's own.

use super::Api;
use crate::auth::{Principal, TokenView};
use crate::error::HttpError;
use axum::Json;
use axum::extract::State;

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
