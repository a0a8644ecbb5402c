//! `GET /health`: whether this sandbox can do its work, and who it is.

use crate::service::{Identity, Service};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    service: &'static str,
    #[serde(flatten)]
    identity: &'a Identity,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// Healthy is who can write to the data dir, so that is tried.
pub(super) async fn check(State(service): State<Arc<Service>>) -> Response {
    let probed = Arc::clone(&service);
    let probe = move || probed.data.probe(probed.log_identity);
    let cause = match tokio::task::spawn_blocking(probe).await {
        Ok(result) => result.err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    let (code, status) = match cause {
        None => (StatusCode::OK, "healthy"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
    };
    let health = Health {
        status,
        service: "choiros-sandbox",
        identity: &service.identity,
        cause,
    };
    (code, [(header::CACHE_CONTROL, "no-store")], Json(health)).into_response()
}
