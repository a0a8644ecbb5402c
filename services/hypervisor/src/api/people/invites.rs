//! Invites, and what became of them.

use super::super::Api;
use crate::auth::Caller;
use crate::error::HttpError;
use crate::store::{Invitation, InviteState};
use crate::timestamp::Timestamp;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

/// An invite, and whether it is good.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct InviteView {
    #[serde(flatten)]
    invitation: Invitation,
    state: InviteState,
}

/// Every invite, the newest first. For admins.
#[utoipa::path(
    get, path = "/api/invites", tag = "people",
    security(("session" = []), ("token" = ["admin"])),
    responses((status = 200, description = "The invites", body = [InviteView]))
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<InviteView>>, HttpError> {
    caller.require_admin()?;
    Ok(Json(views(api.auth.invitations().await?)))
}

fn views(all: Vec<Invitation>) -> Vec<InviteView> {
    let now = Timestamp::now();
    let view = |invitation: Invitation| InviteView {
        state: invitation.state(now),
        invitation,
    };
    all.into_iter().map(view).collect()
}
