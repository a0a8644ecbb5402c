//! `/admin/sandboxes`: a workspace's owner sees and steers its sandboxes.

use super::Api;
use super::members::{Member, members_of};
use crate::access::Access;
use crate::auth::{AuthError, Caller};
use crate::error::HttpError;
use crate::peer::Peer;
use crate::role::Role;
use crate::routes::{Route, StopError, Workspace};
use crate::runtime::{Sandbox, Status, View};
use crate::timestamp::Timestamp;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// One sandbox as its owner, an admin or the operator sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Row {
    /// Who owns the workspace; none while it is nobody's.
    pub user_id: Option<Uuid>,
    /// Their name.
    pub username: Option<String>,
    /// Whether it is the one of their workspaces that they are led to.
    pub chosen: bool,
    /// The workspace.
    pub workspace: String,
    /// The role that the sandbox has now.
    pub role: Role,
    /// The sandbox.
    pub sandbox: String,
    /// How it is.
    #[serde(flatten)]
    pub view: View,
    /// The generation of its route.
    pub generation: u64,
    /// Who may look at it, as long as it has this role.
    pub access: Access,
    /// Where it is found in this role.
    pub url: String,
    /// The release that the sandbox runs; 0 if something else runs it.
    pub release: u64,
    /// Who stopped it by hand.
    pub stopped_by: Option<String>,
    /// Since when it is stopped by hand.
    pub stopped_at: Option<Timestamp>,
    /// How many requests may have written to live since the last fork or swap.
    pub writes: Option<u64>,
    /// Seconds that are left of the probation that it is on, in its new role.
    pub probation_secs: Option<u64>,
}

impl Row {
    fn new(
        owner: Option<&Member>,
        chosen: bool,
        workspace: &Workspace,
        route: &Route,
        generation: u64,
        live: LiveView,
    ) -> Self {
        let sandbox = &route.sandbox;
        let stopped = sandbox.stopped_by().map(|stopped| (stopped.by, stopped.at));
        let (stopped_by, stopped_at) = stopped.unzip();
        Self {
            user_id: owner.map(|owner| owner.user_id),
            username: owner.map(|owner| owner.username.clone()),
            chosen,
            workspace: route.workspace.to_string(),
            role: route.role,
            sandbox: sandbox.name().to_owned(),
            view: sandbox.view(),
            generation,
            access: workspace.access(route.role),
            url: workspace.site(route.role).url.clone(),
            release: sandbox.release(),
            stopped_by,
            stopped_at,
            writes: live.writes,
            probation_secs: live.probation_secs,
        }
    }
}

/// What there is to say of live alone.
#[derive(Clone, Copy, Default)]
struct LiveView {
    writes: Option<u64>,
    probation_secs: Option<u64>,
}

/// Both rows of a workspace, each with its sandbox.
pub(super) fn rows(
    api: &Api,
    owner: Option<&Member>,
    workspace: &Workspace,
) -> [(Row, Arc<Sandbox>); 2] {
    let pair = workspace.pair();
    let live = LiveView {
        writes: api.routes.writes(&workspace.name),
        probation_secs: api.routes.probation_left(&workspace.name),
    };
    let led_to = owner.and_then(|owner| api.routes.of(owner.user_id));
    let chosen = led_to.is_some_and(|led_to| led_to.name == workspace.name);
    let row = |(route, view): (&Arc<Route>, LiveView)| {
        let row = Row::new(owner, chosen, workspace, route, pair.generation(), view);
        (row, Arc::clone(&route.sandbox))
    };
    let [of_live, of_dev] = pair.both();
    [(of_live, live), (of_dev, LiveView::default())].map(row)
}

/// The rows of every workspace, one pair for each member.
async fn all_rows(api: &Api) -> Result<Vec<Row>, HttpError> {
    let workspaces = api.routes.all();
    let members = members_of(api, &workspaces).await?;
    let mut all = Vec::new();
    for (workspace, members) in workspaces.iter().zip(&members) {
        match &members[..] {
            [] => all.extend(rows(api, None, workspace)),
            owners => all.extend(owners.iter().flat_map(|it| rows(api, Some(it), workspace))),
        }
    }
    Ok(all.into_iter().map(|(row, _)| row).collect())
}

/// What start and stop answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Outcome {
    status: Status,
    port: Option<u16>,
}

impl Outcome {
    pub(super) fn of(sandbox: &Sandbox) -> Self {
        let view = sandbox.view();
        Self {
            status: view.status,
            port: view.port,
        }
    }
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<Row>>, HttpError> {
    let Some(user) = caller.user().filter(|user| !user.admin) else {
        return Ok(Json(all_rows(&api).await?));
    };
    let workspace = api.routes.workspace(user).await?;
    let owner = Member {
        username: user.username.clone(),
        user_id: user.id,
    };
    let both = rows(&api, Some(&owner), &workspace);
    Ok(Json(both.map(|(row, _)| row).into()))
}

/// What can be done to a sandbox by hand.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Start,
    Stop,
}

impl Verb {
    /// Does it, in the name of the caller from this address; both are idempotent.
    pub(super) async fn apply(
        self,
        api: &Api,
        caller: &Caller,
        address: Option<IpAddr>,
        workspace: &Arc<Workspace>,
        role: Role,
    ) -> Result<Outcome, StopError> {
        let sandbox = match self {
            Self::Start => api.routes.start(workspace, role).await?,
            Self::Stop => api.routes.stop(workspace, role, &caller.name()).await?,
        };
        let outcome = Outcome::of(&sandbox);
        api.tell(caller, address, workspace, self.done(), sandbox.name())
            .await;
        Ok(outcome)
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
        }
    }
}

pub(super) async fn control(
    State(api): State<Api>,
    caller: Caller,
    Extension(peer): Extension<Peer>,
    path: Result<Path<(Uuid, Role, Verb)>, PathRejection>,
) -> Result<Json<Outcome>, HttpError> {
    let Path((user_id, role, verb)) = path?;
    let workspace = owned(&api, &caller, user_id).await?;
    let address = Some(peer.client);
    let done = verb.apply(&api, &caller, address, &workspace, role);
    Ok(Json(done.await?))
}

/// A swap takes a passkey for the very act.
pub(super) async fn swap(_: Caller) -> Result<(), HttpError> {
    Err(AuthError::PasskeyRequired("swap").into())
}

/// The workspace that `user_id` is led to, if the caller may steer it.
pub(super) async fn owned(
    api: &Api,
    caller: &Caller,
    user_id: Uuid,
) -> Result<Arc<Workspace>, HttpError> {
    if let Some(own) = caller.user().filter(|user| user.id == user_id) {
        let workspace = api.routes.workspace(own).await?;
        caller.require_workspace(&workspace.name)?;
        return Ok(workspace);
    }
    if !caller.is_admin() {
        return Err(HttpError::new(
            StatusCode::FORBIDDEN,
            "not_yours",
            "this workspace is not yours; use your own user id, which /auth/me tells",
        ));
    }
    api.routes.of(user_id).ok_or_else(|| {
        HttpError::new(
            StatusCode::NOT_FOUND,
            "no_workspace",
            "no user of that id has a workspace; /admin/sandboxes lists those that do",
        )
    })
}
