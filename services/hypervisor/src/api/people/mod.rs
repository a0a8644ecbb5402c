//! Lists of people, invites, sessions, workspaces and what was done: at `/api`, and at the
//! operator's socket.

mod archives;
mod audit;
mod invites;
mod sessions;
mod users;
mod workspaces;

use super::Api;
use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Below `/api`.
pub(super) fn operations() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(users::list))
        .routes(routes!(invites::list))
        .routes(routes!(archives::list))
        .routes(routes!(audit::page))
        .routes(routes!(audit::download))
        .routes(routes!(workspaces::list))
        .routes(routes!(workspaces::choose))
}

/// What the operator's socket has of it.
pub(super) fn operator() -> Router<Api> {
    Router::new()
        .route("/users", get(users::list))
        .route("/invites", get(invites::list))
        .route("/sessions", get(sessions::all))
        .route("/archives", get(archives::list))
        .route("/audit", get(audit::export))
        .route("/workspaces", get(workspaces::list))
}
