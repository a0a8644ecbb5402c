//! Archives of workspaces that went with their last member.

use super::super::Api;
use crate::auth::Caller;
use crate::error::HttpError;
use crate::routes::ArchiveView;
use axum::Json;
use axum::extract::State;

/// Every archive, the oldest first. For admins.
#[utoipa::path(
    get, path = "/api/archives", tag = "people",
    security(("session" = []), ("token" = ["admin"])),
    responses((status = 200, description = "The archives", body = [ArchiveView]))
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<ArchiveView>>, HttpError> {
    caller.require_admin()?;
    Ok(Json(api.routes.archives().await?))
}
