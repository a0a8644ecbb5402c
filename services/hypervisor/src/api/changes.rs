//! Releases, snapshots and changes: to the operator, and to a workspace's owner what takes no
//! passkey.

use super::Api;
use super::named::named;
use super::sandboxes::owned;
use crate::auth::Caller;
use crate::error::{HttpError, Payload};
use crate::peer::Peer;
use crate::role::Role;
use crate::routes::{ChangeOutcome, Workspace, WorkspaceBackups, WorkspaceView};
use crate::runtime::{Backup, Snapshot};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// What the operator's socket has of it.
pub(super) fn operator() -> Router<Api> {
    Router::new()
        .route("/workspaces/{workspace}", get(view))
        .route("/releases/{workspace}", post(add_release))
        .route("/give/{workspace}", post(give))
        .route("/snapshots/{workspace}/{role}", post(operators_snapshot))
        .route("/backups/{workspace}", get(backups))
        .route("/backups/{workspace}/{role}", post(back_up))
}

async fn view(
    State(api): State<Api>,
    Path(workspace): Path<String>,
) -> Result<Json<WorkspaceView>, HttpError> {
    let workspace = named(&api, &workspace)?;
    Ok(Json(api.routes.view(&workspace).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseOrder {
    command: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

async fn add_release(
    State(api): State<Api>,
    Path(workspace): Path<String>,
    Payload(order): Payload<ReleaseOrder>,
) -> Result<Json<ChangeOutcome>, HttpError> {
    let of = named(&api, &workspace)?;
    let by = Caller::Operator;
    let outcome = api
        .routes
        .add_release(&of, order.command, order.env, &by.name())
        .await?;
    api.tell(&by, None, &of, "release_added", &outcome).await;
    Ok(Json(outcome))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GiveOrder {
    release: u64,
}

async fn give(
    State(api): State<Api>,
    Path(workspace): Path<String>,
    Payload(order): Payload<GiveOrder>,
) -> Result<Json<ChangeOutcome>, HttpError> {
    let of = named(&api, &workspace)?;
    let by = Caller::Operator;
    let outcome = api
        .routes
        .give_release(&of, order.release, &by.name())
        .await?;
    api.tell(&by, None, &of, "release_given", &outcome).await;
    Ok(Json(outcome))
}

async fn operators_snapshot(
    State(api): State<Api>,
    path: Result<Path<(String, Role)>, PathRejection>,
) -> Result<Json<Snapshot>, HttpError> {
    let Path((workspace, role)) = path?;
    let of = named(&api, &workspace)?;
    take_snapshot(&api, &Caller::Operator, None, &of, role).await
}

async fn back_up(
    State(api): State<Api>,
    path: Result<Path<(String, Role)>, PathRejection>,
) -> Result<Json<Backup>, HttpError> {
    let Path((workspace, role)) = path?;
    let of = named(&api, &workspace)?;
    let backup = api.routes.back_up(&of, role).await?;
    let done = format!("{} of {role}", backup.id);
    api.tell(&Caller::Operator, None, &of, "backup_made", done)
        .await;
    Ok(Json(backup))
}

async fn backups(
    State(api): State<Api>,
    Path(workspace): Path<String>,
) -> Result<Json<WorkspaceBackups>, HttpError> {
    let of = named(&api, &workspace)?;
    Ok(Json(api.routes.backups(&of).await?))
}

/// What the workspace of this user has, and was.
pub(super) async fn workspace(
    State(api): State<Api>,
    caller: Caller,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<WorkspaceView>, HttpError> {
    let Path(user_id) = path?;
    let workspace = owned(&api, &caller, user_id).await?;
    Ok(Json(api.routes.view(&workspace).await?))
}

/// A snapshot changes nothing, and takes no passkey.
pub(super) async fn snapshot(
    State(api): State<Api>,
    caller: Caller,
    Extension(peer): Extension<Peer>,
    path: Result<Path<(Uuid, Role)>, PathRejection>,
) -> Result<Json<Snapshot>, HttpError> {
    let Path((user_id, role)) = path?;
    let workspace = owned(&api, &caller, user_id).await?;
    take_snapshot(&api, &caller, Some(peer.client), &workspace, role).await
}

async fn take_snapshot(
    api: &Api,
    caller: &Caller,
    address: Option<IpAddr>,
    workspace: &Arc<Workspace>,
    role: Role,
) -> Result<Json<Snapshot>, HttpError> {
    let snapshot = api.routes.snapshot(workspace, role).await?;
    let done = format!("{} of {role} of {}", snapshot.id, workspace.name);
    api.tell(caller, address, workspace, "snapshot_taken", done)
        .await;
    Ok(Json(snapshot))
}
