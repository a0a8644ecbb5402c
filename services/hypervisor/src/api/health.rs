//! `GET /health`: whether this program serves, and with `?deep` whether people can work.

use super::Api;
use crate::config::DEFAULT_WORKSPACE;
use crate::runtime::Status;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// The name under which this program answers.
const SERVICE: &str = "choiros-hypervisor";

pub(super) async fn health(State(api): State<Api>, RawQuery(query): RawQuery) -> Response {
    let deep = query.is_some_and(|query| query.split('&').any(|part| part.starts_with("deep")));
    let version = env!("CARGO_PKG_VERSION");
    let cause = if deep {
        health_problem(&api).await
    } else {
        None
    };
    match cause {
        None => Json(json!({ "status": "healthy", "service": SERVICE, "version": version }))
            .into_response(),
        Some(cause) => {
            let body = json!({
                "status": "unhealthy", "service": SERVICE, "version": version, "cause": cause,
            });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// What keeps people from working: the store, the seal around the sandboxes, or the default
/// workspace's live sandbox.
///
/// A sandbox that is stopped is none: the next request starts it.
async fn health_problem(api: &Api) -> Option<String> {
    if let Err(error) = api.store.run(|store| store.check()).await {
        return Some(format!("the store does not answer: {error}"));
    }
    if let Some(broken) = api.routes.seal().broken() {
        return Some(broken);
    }
    let live = api
        .routes
        .named(DEFAULT_WORKSPACE)?
        .pair()
        .live
        .sandbox
        .clone();
    let view = live.view();
    match view.status {
        Status::Stopped => None,
        Status::Failed | Status::Starting => Some(format!(
            "the live sandbox {} is {}: {}",
            live.name(),
            view.status,
            view.cause.unwrap_or_else(|| "not healthy yet".into())
        )),
        Status::Running | Status::Draining => {
            let probe = live.probe().await;
            probe
                .err()
                .map(|error| format!("the live sandbox {}: {error}", live.name()))
        }
    }
}
