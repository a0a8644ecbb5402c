//! `/api/slots`: how many more people can have a workspace.

use super::Api;
use crate::routes::Slots;
use axum::Json;
use axum::extract::State;

/// The slots of this host, each of which is ready for a workspace.
#[utoipa::path(
    get, path = "/api/slots", tag = "people",
    security(("session" = []), ("token" = ["admin"])),
    responses((status = 200, description = "How many there are, and how many are free", body = Slots))
)]
pub(super) async fn slots(State(api): State<Api>) -> Json<Slots> {
    Json(api.routes.slots())
}
