//! Workspaces and their members, and which of theirs a person is led to.

use super::super::Api;
use super::super::members::{Member, members_of, named_members};
use crate::auth::Caller;
use crate::error::{HttpError, Parameters};
use crate::role::Role;
use crate::routes::{Elsewhere, Workspace};
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
    /// The machine that is its home, if it is another one than that which answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<String>,
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
    let (mut workspaces, mut others) = match own {
        Some(own) if !asked.all => (
            api.routes.workspaces_of(own),
            api.routes.workspaces_elsewhere(own),
        ),
        _ => {
            caller.require_admin()?;
            (api.routes.all(), api.routes.all_elsewhere())
        }
    };
    workspaces.retain(|it| caller.require_workspace(&it.name).is_ok());
    others.retain(|it| caller.require_workspace(&it.name).is_ok());
    let mut all = views(&api, own, workspaces).await?;
    all.extend(views_elsewhere(&api, own, others).await?);
    Ok(Json(all))
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
    let no_member = || {
        let said = format!(
            "you are no member of a workspace {name}; the account page lists those of which you are"
        );
        HttpError::new(StatusCode::NOT_FOUND, "no_workspace", said)
    };
    let user = caller.user().ok_or_else(no_member)?.id;
    let is_theirs = if let Some(workspace) = api.routes.named(&name) {
        api.routes.is_member(user, &workspace)
    } else {
        let theirs = api.routes.workspaces_elsewhere(user);
        theirs.iter().any(|workspace| *workspace.name == *name)
    };
    if !is_theirs {
        return Err(no_member());
    }
    api.routes.choose(&name, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn views_elsewhere(
    api: &Api,
    own: Option<Uuid>,
    workspaces: Vec<Arc<Elsewhere>>,
) -> Result<Vec<WorkspaceListing>, StoreError> {
    let ids = workspaces.iter().map(|it| it.members().to_vec());
    let members = named_members(api, ids.collect()).await?;
    let chosen = own.and_then(|own| api.routes.led_elsewhere(own));
    let view = |(workspace, members): (Arc<Elsewhere>, _)| WorkspaceListing {
        name: workspace.name.to_string(),
        chosen: chosen
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, &workspace)),
        declared: workspace.slot.is_none(),
        members_declared: false,
        slot: workspace.slot,
        machine: Some(workspace.home.to_string()),
        members,
        urls: Urls {
            live: workspace.site(Role::Live).url.clone(),
            dev: workspace.site(Role::Dev).url.clone(),
        },
    };
    Ok(workspaces.into_iter().zip(members).map(view).collect())
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
        machine: None,
        members,
        urls: Urls {
            live: workspace.site(Role::Live).url.clone(),
            dev: workspace.site(Role::Dev).url.clone(),
        },
    };
    Ok(workspaces.into_iter().zip(members).map(view).collect())
}
