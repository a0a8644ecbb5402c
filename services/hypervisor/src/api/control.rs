//! The operator's Unix socket: the same program from the inside, for root and its own user.

use super::sandboxes::{self, Outcome, Verb};
use super::{Api, Row};
use crate::auth::{Account, Invite, RecoveryCode};
use crate::error::HttpError;
use crate::routes::{Role, SwapOrder, Swapped, Workspace};
use crate::unix_socket;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::UnixListener;
use tower::ServiceExt;
use tracing::{debug, warn};

/// The operator's socket, bound.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Binds the socket; one that a dead server left behind is replaced.
    ///
    /// # Errors
    /// When a server that lives has it already, or the folder cannot be written.
    pub fn bind(path: PathBuf) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(folder)?;
        }
        let listener = UnixListener::from_std(unix_socket::listener(&path, 0o600)?)?;
        Ok(Self { listener, path })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path); // Gone already is as good.
    }
}

/// Serves the operator until the task is dropped.
pub async fn serve(control: Control, api: Api) {
    let router = router(api);
    let own = rustix::process::geteuid().as_raw();
    loop {
        let stream = match control.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "cannot accept an operator");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == 0 || peer.uid() == own => {}
            other => {
                warn!(peer = ?other, "refused at the operator's socket");
                continue;
            }
        }
        let router = router.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| router.clone().oneshot(request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                debug!(%error, "operator's connection ended");
            }
        });
    }
}

fn router(api: Api) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/users", get(users))
        .route("/sandboxes", get(list))
        .route("/sandboxes/{workspace}/{role}/{verb}", post(steer))
        .route("/sandboxes/{workspace}/{role}/probe", get(probe))
        .route("/swap/{workspace}", post(swap))
        .route("/invites", post(invite))
        .route("/recover/{username}", post(recover))
        .with_state(api)
}

async fn status(State(api): State<Api>) -> Result<Json<Value>, HttpError> {
    let workspaces = api.routes.all();
    let holds = |workspace: &Arc<Workspace>| -> usize {
        let pair = workspace.pair();
        pair.both().iter().map(|route| route.sandbox.holds()).sum()
    };
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "uptime_secs": api.started.elapsed().as_secs(),
        "origin": api.config.origin().origin().ascii_serialization(),
        "workspaces": workspaces.len(),
        "users": api.store.run(|store| store.user_count()).await?,
        "claims": workspaces.iter().map(holds).sum::<usize>(),
    })))
}

async fn users(State(api): State<Api>) -> Result<Json<Vec<Account>>, HttpError> {
    Ok(Json(api.auth.users().await?))
}

async fn list(State(api): State<Api>) -> Result<Json<Vec<Row>>, HttpError> {
    Ok(Json(sandboxes::all_rows(&api).await?))
}

async fn steer(
    State(api): State<Api>,
    Path((workspace, role, verb)): Path<(String, Role, Verb)>,
) -> Result<Json<Outcome>, HttpError> {
    let sandbox = named(&api, &workspace)?.pair().route(role).sandbox.clone();
    Ok(Json(verb.apply(&sandbox).await?))
}

async fn probe(
    State(api): State<Api>,
    Path((workspace, role)): Path<(String, Role)>,
) -> Result<Json<Outcome>, HttpError> {
    let sandbox = named(&api, &workspace)?.pair().route(role).sandbox.clone();
    sandbox.probe().await.map_err(|error| {
        let said = error.to_string();
        HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "sandbox_unhealthy", said)
    })?;
    Ok(Json(Outcome::of(&sandbox)))
}

async fn swap(
    State(api): State<Api>,
    Path(workspace): Path<String>,
    Json(order): Json<SwapOrder>,
) -> Result<Json<Swapped>, HttpError> {
    let workspace = named(&api, &workspace)?;
    let swapped = api.routes.swap(&workspace, order).await?;
    api.metrics.swapped();
    for (owner, _) in api
        .routes
        .owners()
        .into_iter()
        .filter(|(_, of)| of.name == workspace.name)
    {
        let done = format!("{swapped} by the operator");
        api.auth.audit("swapped", Some(owner), None, done).await;
    }
    Ok(Json(swapped))
}

#[derive(Deserialize)]
struct InviteOrder {
    admin: bool,
}

async fn invite(
    State(api): State<Api>,
    Json(order): Json<InviteOrder>,
) -> Result<Json<Invite>, HttpError> {
    Ok(Json(api.auth.invite(order.admin).await?))
}

async fn recover(
    State(api): State<Api>,
    Path(username): Path<String>,
) -> Result<Json<RecoveryCode>, HttpError> {
    Ok(Json(api.auth.recovery_code_for(&username).await?))
}

fn named(api: &Api, workspace: &str) -> Result<Arc<Workspace>, HttpError> {
    api.routes.named(workspace).ok_or_else(|| {
        HttpError::new(
            StatusCode::NOT_FOUND,
            "no_workspace",
            format!("there is no workspace {workspace}; `hypervisor sandboxes` lists them"),
        )
    })
}
