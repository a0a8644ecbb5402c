//! The operator's Unix socket: the same program from the inside, for root and its own user.

use super::access::AccessView;
use super::acts;
use super::at_home::at_home;
use super::changes;
use super::named::named;
use super::sandboxes::Outcome;
use super::{Api, inventory, log, machines, moves, people};
use crate::auth::Caller;
use crate::cluster::answer_when_known;
use crate::error::{HttpError, for_operator};
use crate::forwarding::PeerStream;
use crate::private_folder;
use crate::role::Role;
use crate::routes::Workspace;
use crate::store::ProbationRow;
use crate::unix_socket;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{get, post};
use axum::serve::Listener;
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How long a shutdown waits for what an operator has ordered.
const LAST_ORDERS: Duration = Duration::from_secs(5);

/// The operator's socket, bound, and the way by which other machines pass orders on.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    orders: Option<Receiver<PeerStream>>,
}

impl Control {
    /// Binds the socket; one that a dead server left behind is replaced.
    ///
    /// # Errors
    /// When a server that lives has it already, or the folder cannot be written.
    pub fn bind(path: PathBuf) -> io::Result<Self> {
        private_folder::make_for(&path)?;
        let listener = unix_socket::listener(&path, 0o600)?;
        let listener = UnixListener::from_std(listener)?;
        Ok(Self {
            listener,
            path,
            orders: None,
        })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path); // Gone already is as good.
    }
}

/// Connections of root and of this program's own user, and of other machines; no other's.
impl Listener for Control {
    type Io = Either<UnixStream, PeerStream>;
    type Addr = ();

    async fn accept(&mut self) -> (Self::Io, ()) {
        let own = rustix::process::geteuid().as_raw();
        loop {
            let order = async {
                match &mut self.orders {
                    Some(orders) => orders.recv().await,
                    None => None,
                }
            };
            let (stream, _) = tokio::select! {
                accepted = Listener::accept(&mut self.listener) => accepted,
                Some(stream) = order => return (Either::Right(stream), ()),
            };
            match stream.peer_cred() {
                Ok(peer) if peer.uid() == 0 || peer.uid() == own => {
                    return (Either::Left(stream), ());
                }
                other => warn!(peer = ?other, "refused at the operator's socket"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Serves the operator until `stop`, and then whoever was in the midst of an order.
pub async fn serve(mut control: Control, api: Api, stop: CancellationToken) {
    control.orders = api.forwarding.as_ref().and_then(|it| it.orders());
    let server = axum::serve(control, router(api));
    let server = server.with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        sleep(LAST_ORDERS).await;
    };
    tokio::select! {
        _ = server.into_future() => {}
        () = late => warn!("an operator's order did not end in time and gets no answer"),
    }
}

fn router(api: Api) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/machines", get(machines::list))
        .route("/sandboxes", get(inventory::list))
        .route("/sandboxes/{workspace}/{role}/log", get(log::log))
        .route(
            "/sandboxes/{workspace}/{role}/{verb}",
            post(inventory::control),
        )
        .route("/sandboxes/{workspace}/{role}/probe", get(probe))
        .route("/access/{workspace}/{role}", get(access))
        .route("/probations/{workspace}", get(probation))
        .merge(changes::operator())
        .merge(moves::operator())
        .merge(people::operator())
        .route("/acts", post(acts::by_operator))
        .route("/tokens", get(super::tokens::of_user))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(map_response(for_operator))
        .layer(Extension(Caller::Operator))
        .layer(from_fn_with_state(api.store.clone(), answer_when_known))
        .layer(from_fn_with_state(api.clone(), at_home))
        .with_state(api)
}

/// An order of another version's command.
async fn unknown() -> HttpError {
    let said = "this gateway does not know the order; it is of another version than the command, so restart it";
    HttpError::new(StatusCode::NOT_FOUND, "not_found", said)
}

async fn status(State(api): State<Api>) -> Result<Json<Value>, HttpError> {
    let workspaces = api.routes.all();
    let holds = |workspace: &Arc<Workspace>| -> usize {
        let pair = workspace.pair();
        pair.both().iter().map(|route| route.sandbox.holds()).sum()
    };
    let certificates = api.tls.as_ref().and_then(|tls| tls.by_acme());
    let certificates = certificates.map(|acme| acme.certificates());
    let mut status = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "uptime_secs": api.started.elapsed().as_secs(),
        "origin": api.config.origin().origin().ascii_serialization(),
        "workspaces": workspaces.len(),
        "users": api.store.run(|store| store.user_count()).await?,
        "slots": api.routes.slots(),
        "probations": api.routes.probations(),
        "claims": workspaces.iter().map(holds).sum::<usize>(),
    });
    if let Some(certificates) = certificates {
        status["certificates"] = json!(certificates);
    }
    Ok(Json(status))
}

async fn probe(
    State(api): State<Api>,
    path: Result<Path<(String, Role)>, PathRejection>,
) -> Result<Json<Outcome>, HttpError> {
    let Path((workspace, role)) = path?;
    let sandbox = named(&api, &workspace)?.pair().route(role).sandbox.clone();
    sandbox.probe().await.map_err(|error| {
        let said = error.to_string();
        HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "sandbox_unhealthy", said)
    })?;
    Ok(Json(Outcome::of(&sandbox)))
}

async fn access(
    State(api): State<Api>,
    path: Result<Path<(String, Role)>, PathRejection>,
) -> Result<Json<AccessView>, HttpError> {
    let Path((workspace, role)) = path?;
    Ok(Json(AccessView::of(&*named(&api, &workspace)?, role)))
}

/// The workspace's last swap on probation, which may have ended meanwhile.
async fn probation(
    State(api): State<Api>,
    Path(workspace): Path<String>,
) -> Result<Json<ProbationRow>, HttpError> {
    let name = workspace.clone();
    let found = api.store.run(move |store| store.probation(&name)).await?;
    found.map(Json).ok_or_else(|| {
        let said = format!("no swap of {workspace} was on probation");
        HttpError::new(StatusCode::NOT_FOUND, "no_probation", said)
    })
}
