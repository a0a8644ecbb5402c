//! Workspaces and their members, and which of theirs a person is led to.

use super::super::Api;
use super::super::members::{Member, members_of};
use crate::auth::Caller;
use crate::error::{HttpError, Parameters};
use crate::role::Role;
use crate::routes::Workspace;
use crate::store::StoreError;
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// A workspace.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct WorkspaceListing {
    name: String,
    /// Whether whoever asks is led to it.
    chosen: bool,
    /// Whether the configuration has it.
    declared: bool,
    /// Whether the configuration says who its members are, so that nobody can be added or removed.
    members_declared: bool,
    slot: Option<u32>,
    members: Vec<Member>,
    urls: Urls,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Urls {
    live: String,
    dev: String,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// For admins: also those that they are no member of.
    #[serde(default)]
    all: bool,
}

/// The workspaces of which you are a member; for admins also all.
#[utoipa::path(
    get, path = "/api/workspaces", tag = "workspaces", params(Asked),
    security(("session" = []), ("token" = ["sandboxes:read"])),
    responses((status = 200, description = "The workspaces", body = [WorkspaceListing]))
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<Vec<WorkspaceListing>>, HttpError> {
    let own = caller.user().map(|user| user.id);
    let mut workspaces = match own {
        Some(own) if !asked.all => api.routes.workspaces_of(own),
        _ => {
            caller.require_admin()?;
            api.routes.all()
        }
    };
    workspaces.retain(|it| caller.require_workspace(&it.name).is_ok());
    Ok(Json(views(&api, own, workspaces).await?))
}

/// Has `/` lead you to this one of your workspaces from now on.
#[utoipa::path(
    post, path = "/api/workspaces/{name}/choose", tag = "workspaces",
    params(("name" = String, Path, description = "A workspace of which you are a member")),
    security(("session" = [])),
    responses(
        (status = 204, description = "It does"),
        (status = 404, description = "You are a member of no such workspace"),
    )
)]
pub(super) async fn choose(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, HttpError> {
    let user = caller.user().map(|user| user.id);
    let found = api.routes.named(&name).zip(user);
    let theirs = found.filter(|(workspace, user)| api.routes.is_member(*user, workspace));
    let (workspace, user) = theirs.ok_or_else(|| {
        let said = format!(
            "you are no member of a workspace {name}; the account page lists those of which you are"
        );
        HttpError::new(StatusCode::NOT_FOUND, "no_workspace", said)
    })?;
    api.routes.choose(&workspace, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn views(
    api: &Api,
    own: Option<Uuid>,
    workspaces: Vec<Arc<Workspace>>,
) -> Result<Vec<WorkspaceListing>, StoreError> {
    let members = members_of(api, &workspaces).await?;
    let chosen = own.and_then(|own| api.routes.of(own));
    let view = |(workspace, members): (Arc<Workspace>, _)| WorkspaceListing {
        name: workspace.name.to_string(),
        chosen: chosen
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, &workspace)),
        declared: api.config.workspaces.contains_key(&*workspace.name),
        members_declared: api.routes.refuse_declared(&workspace).is_err(),
        slot: workspace.slot,
        members,
        urls: Urls {
            live: workspace.site(Role::Live).url.clone(),
            dev: workspace.site(Role::Dev).url.clone(),
        },
    };
    Ok(workspaces.into_iter().zip(members).map(view).collect())
}
