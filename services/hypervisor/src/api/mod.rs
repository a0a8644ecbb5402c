//! What this program answers itself, beside the auth shell: health, sandboxes, metrics for
//! people, and the operator's socket.

mod access;
mod acts;
mod at_home;
mod changes;
mod control;
mod document;
mod error;
mod guard;
mod health;
mod hosts;
mod inventory;
mod log;
mod log_readers;
mod machines;
mod members;
mod metrics;
mod moves;
mod named;
mod order;
mod people;
mod sandboxes;
mod slots;
mod tokens;

pub use acts::Act;
pub use control::{Control, serve as serve_control};
pub use log_readers::LogReaders;
pub use metrics::Labels;
pub use sandboxes::Row;

use crate::auth::{Acts, Auth, Caller};
use crate::cluster::Machines;
use crate::config::Config;
use crate::forwarding::Forwarding;
use crate::metrics::Metrics;
use crate::routes::{Routes, Workspace};
use crate::shell::Shell;
use crate::store;
use crate::tls::Tls;
use axum::Router;
use axum::extract::FromRef;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderValue, header};
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// What the handlers work on.
#[derive(Clone)]
pub struct Api {
    /// Accounts and sessions.
    pub auth: Arc<Auth>,
    /// Workspaces and their routes.
    pub routes: Arc<Routes>,
    /// The store.
    pub store: store::Handle,
    /// The configuration.
    pub config: Arc<Config>,
    /// The certificates, where the gateway ends TLS itself.
    pub tls: Option<Arc<Tls>>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The pages.
    pub shell: Arc<Shell>,
    /// What waits for a passkey.
    pub acts: Arc<Acts<Act>>,
    /// Who reads logs of sandboxes.
    pub log_readers: Arc<LogReaders>,
    /// The labels that workspaces have in the metrics.
    pub labels: Arc<Labels>,
    /// The way to other machines, where there are any.
    pub forwarding: Option<Arc<Forwarding>>,
    /// The machines that have the store.
    pub machines: Arc<Machines>,
    /// When this program started.
    pub started: Instant,
}

impl Api {
    /// Writes to the audit log of a workspace's members what the caller, from this address, did
    /// to it.
    async fn tell(
        &self,
        caller: &Caller,
        address: Option<IpAddr>,
        workspace: &Arc<Workspace>,
        event: &str,
        done: impl Display,
    ) {
        let done = format!("{done} by {}", caller.name());
        let row = caller.audit_row(event, None, address, done);
        self.routes.audit(workspace, row).await;
    }
}

impl FromRef<Api> for Arc<Auth> {
    fn from_ref(api: &Api) -> Self {
        Self::clone(&api.auth)
    }
}

/// `/health`, `/metrics`, `/api`, `/admin` and `/auth/acts`.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/health", get(health::health))
        .route("/metrics", get(metrics::metrics))
        .route("/admin/sandboxes", get(sandboxes::list))
        .route(
            "/admin/sandboxes/{user_id}/{role}/{verb}",
            post(sandboxes::control),
        )
        .route("/admin/sandboxes/{user_id}/swap", post(sandboxes::swap))
        .route("/admin/workspaces/{user_id}", get(changes::workspace))
        .route(
            "/admin/sandboxes/{user_id}/{role}/snapshot",
            post(changes::snapshot),
        )
        .merge(document::router(&api.config))
        .layer(map_response(no_store))
        .merge(api.auth.guarded(acts::router()))
        .with_state(api)
}

/// Whatever this says is of the moment.
async fn no_store(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}
