//! What the service answers to whom.

mod caller;
mod error;
mod events;
mod health;
mod page;
mod socket;
mod stream;

use caller::Caller;
use error::HttpError;

use crate::service::Service;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{any, get};
use std::sync::Arc;

/// Bytes of a posted event at most.
const MAX_EVENT_BYTES: usize = 64 * 1024;

/// Everything under the sandbox's address.
pub fn router(service: Arc<Service>) -> Router {
    let look = Arc::new(page::Look::new(service.accent));
    Router::new()
        .route(
            "/",
            get(async move |service, caller| page::show(service, &caller, &look)),
        )
        .route("/health", get(health::check))
        .route("/logs/events", get(events::read).post(events::append))
        .route("/ws/logs/events", any(socket::open))
        .fallback(async || {
            HttpError::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is nothing here; a sandbox has /, /health, /logs/events and /ws/logs/events",
            )
        })
        .method_not_allowed_fallback(async || {
            HttpError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this path has another method; the Allow header names it",
            )
        })
        .layer(DefaultBodyLimit::max(MAX_EVENT_BYTES))
        .with_state(service)
}
