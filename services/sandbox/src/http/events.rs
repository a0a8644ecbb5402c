//! `/logs/events`: the event log as a list or a stream, and the way into it.

use super::{Caller, HttpError, stream};
use crate::log::{Draft, Event, PAGE};
use crate::service::Service;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Which events are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// Those with a greater id.
    #[serde(default)]
    pub after: i64,
    /// So many at most.
    limit: Option<usize>,
}

/// The window that a query asks for.
pub(super) fn window(query: Result<Query<Window>, QueryRejection>) -> Result<Window, HttpError> {
    let refused = |message| HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", message);
    let Query(window) = query.map_err(|rejection| {
        refused(format!(
            "{}; `after` is an event's id, and `limit` is 1 to {PAGE}",
            rejection.body_text()
        ))
    })?;
    match window.limit {
        Some(limit) if !(1..=PAGE).contains(&limit) => {
            Err(refused(format!("limit is {limit}; give 1 to {PAGE}")))
        }
        _ => Ok(window),
    }
}

/// GET: a list, or for who accepts `text/event-stream` a stream.
pub(super) async fn read(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    query: Result<Query<Window>, QueryRejection>,
) -> Result<Response, HttpError> {
    let window = window(query)?;
    if stream::is_wanted(&headers) {
        // A browser that comes again repeats the address, so its header knows better.
        let after = stream::last_event_id(&headers)?.unwrap_or(window.after);
        return Ok(stream::of(&service, &caller, after).into_response());
    }
    let limit = window.limit.unwrap_or(100);
    let events = service.log.after(window.after, limit).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(events)).into_response())
}

/// What a caller posts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Posted {
    kind: String,
    payload: Option<Value>,
}

/// POST: appends an event in the caller's name.
pub(super) async fn append(
    State(service): State<Arc<Service>>,
    caller: Caller,
    posted: Result<Json<Posted>, JsonRejection>,
) -> Result<(StatusCode, Json<Event>), HttpError> {
    let Json(posted) = posted.map_err(|rejection| refusal(&rejection))?;
    let draft = Draft {
        kind: kind(posted.kind)?,
        user_id: caller.user_id,
        payload: posted.payload,
    };
    Ok((StatusCode::CREATED, Json(service.log.append(draft).await?)))
}

fn refusal(rejection: &JsonRejection) -> HttpError {
    let status = rejection.status();
    let code = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "event_too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "not_json",
        _ => "invalid_event",
    };
    let message = format!(
        "{}; post {{\"kind\": …, \"payload\": any JSON}} as application/json, {} KiB at most",
        rejection.body_text(),
        super::MAX_EVENT_BYTES / 1024
    );
    HttpError::new(status, code, message)
}

/// A kind that a caller may use. The sandbox's own stay its own: a log is worth what its
/// readers may believe.
fn kind(kind: String) -> Result<String, HttpError> {
    let refused = |message| {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Err(HttpError::new(status, "invalid_kind", message))
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(1..=64).contains(&kind.len()) || !kind.bytes().all(plain) {
        return refused("a kind has 1 to 64 letters, digits, dots, hyphens and underscores");
    }
    if kind == "system" || kind.starts_with("system.") {
        return refused("kinds under `system.` are the sandbox's own; use another prefix");
    }
    Ok(kind)
}
