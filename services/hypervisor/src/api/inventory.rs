//! `/api/sandboxes`: each sandbox once, with its members and what it uses, for those who may see it.

use super::Api;
use super::acts::steered;
use super::members::{Member, members_of};
use super::sandboxes::{Outcome, Row, Verb, rows};
use crate::auth::Caller;
use crate::error::{HttpError, Parameters};
use crate::peer::Peer;
use crate::role::Role;
use crate::routes::Workspace;
use crate::runtime::{Sandbox, Usage};
use crate::store::StoreError;
use crate::timestamp::Timestamp;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A sandbox, once, whoever its workspace belongs to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct SandboxRow {
    /// As `/admin/sandboxes` has it; of the members the first, or who asks.
    #[serde(flatten)]
    row: Row,
    /// The usernames of the workspace's members.
    members: Vec<String>,
    /// Requests to this role since the gateway's start.
    requests: u64,
    /// When the last of them came.
    last_request_at: Option<Timestamp>,
    /// What it uses, where that is known.
    usage: Option<Usage>,
}

impl SandboxRow {
    /// Whether `search`, in lower case, is in one of its names.
    fn matches(&self, search: &str) -> bool {
        let names = [&self.row.workspace, &self.row.sandbox];
        let mut names = names.into_iter().chain(&self.members);
        names.any(|name| name.to_lowercase().contains(search))
    }
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// A part of the name of a workspace, of a sandbox or of a member.
    #[serde(default)]
    search: String,
}

/// The sandboxes of your workspaces; an admin's are all. A list looks at no disk: what is known of it
/// is as old as `usage.at` says.
#[utoipa::path(
    get, path = "/api/sandboxes", tag = "sandboxes", params(Search),
    security(("session" = []), ("token" = ["sandboxes:read"])),
    responses((status = 200, description = "Each sandbox once", body = [SandboxRow]))
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Parameters(Search { search }): Parameters<Search>,
) -> Result<Json<Vec<SandboxRow>>, HttpError> {
    // Nothing is started for this, and all that runs is looked at in one go.
    let mut workspaces = match caller.user() {
        Some(user) if !caller.is_admin() => api.routes.workspaces_of(user.id),
        _ => api.routes.all(),
    };
    workspaces.retain(|workspace| caller.require_workspace(&workspace.name).is_ok());
    let mut all = all_rows(&api, &caller, &workspaces).await?;
    let search = search.trim().to_lowercase();
    all.retain(|(row, _)| row.matches(&search));
    let (mut rows, sandboxes): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let usage = api.routes.usage(&sandboxes).await;
    for (row, usage) in rows.iter_mut().zip(usage) {
        row.usage = usage;
    }
    Ok(Json(rows))
}

/// The sandboxes of one workspace, with how much their disks take, as of this minute.
#[utoipa::path(
    get, path = "/api/sandboxes/{workspace}", tag = "sandboxes",
    params(("workspace" = String, Path)),
    security(("session" = []), ("token" = ["sandboxes:read"])),
    responses((status = 200, description = "Live and dev", body = [SandboxRow]))
)]
pub(super) async fn one(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Vec<SandboxRow>>, HttpError> {
    let workspace = steered(&api, &caller, &name)?;
    let all = all_rows(&api, &caller, &[workspace]).await?;
    let looks = all.into_iter().map(async |(mut row, sandbox)| {
        row.usage = api.routes.usage_of(&sandbox).await;
        row
    });
    Ok(Json(futures_util::future::join_all(looks).await))
}

/// Starts a sandbox and waits until it is healthy, or stops it; no request starts it then until
/// somebody does.
#[utoipa::path(
    post, path = "/api/sandboxes/{workspace}/{role}/{verb}", tag = "sandboxes",
    params(("workspace" = String, Path), ("role" = Role, Path), ("verb" = inline(Verb), Path)),
    security(("session" = []), ("token" = ["sandboxes:promote"])),
    responses((status = 200, description = "How it is now", body = Outcome))
)]
pub(super) async fn control(
    State(api): State<Api>,
    caller: Caller,
    peer: Option<Extension<Peer>>,
    path: Result<Path<(String, Role, Verb)>, PathRejection>,
) -> Result<Json<Outcome>, HttpError> {
    let Path((name, role, verb)) = path?;
    let workspace = steered(&api, &caller, &name)?;
    let address = peer.map(|Extension(peer)| peer.client);
    let done = verb.apply(&api, &caller, address, &workspace, role);
    Ok(Json(done.await?))
}

/// All rows of these workspaces, without what they use.
async fn all_rows(
    api: &Api,
    caller: &Caller,
    workspaces: &[Arc<Workspace>],
) -> Result<Vec<(SandboxRow, Arc<Sandbox>)>, StoreError> {
    let members = members_of(api, workspaces).await?;
    let mut all = Vec::with_capacity(2 * workspaces.len());
    for (workspace, members) in workspaces.iter().zip(members) {
        let asks = |it: &&Member| caller.user().is_some_and(|user| user.id == it.user_id);
        let owner = members.iter().find(asks).or(members.first());
        let names: Vec<_> = members.iter().map(|it| it.username.clone()).collect();
        let both = rows(api, owner, workspace).map(|(row, sandbox)| {
            let row = SandboxRow {
                members: names.clone(),
                requests: workspace.requests(row.role),
                last_request_at: workspace.last_request_at(row.role),
                usage: None,
                row,
            };
            (row, sandbox)
        });
        all.extend(both);
    }
    Ok(all)
}
