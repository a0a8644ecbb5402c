//! The audit log: a page at a time for admins, and whole for the operator.

use super::super::Api;
use crate::auth::Caller;
use crate::error::{HttpError, Parameters};
use crate::store::{AuditEntry, Handle, StoreError};
use crate::timestamp::Timestamp;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::header;
use serde::Deserialize;
use uuid::Uuid;

/// So many events are in memory at once, however many there are.
const PAGE: u32 = 1000;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// How many; 1000 at most.
    #[serde(default = "a_page")]
    limit: u32,
    /// Those before the one of this id.
    before: Option<i64>,
    /// Whom they concern, by id.
    user: Option<Uuid>,
}

const fn a_page() -> u32 {
    100
}

/// What was done, the newest first. For admins.
#[utoipa::path(
    get, path = "/api/audit", tag = "people", params(Asked),
    security(("session" = []), ("token" = ["admin"])),
    responses((status = 200, description = "The events", body = [AuditEntry]))
)]
pub(super) async fn page(
    State(api): State<Api>,
    caller: Caller,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<Vec<AuditEntry>>, HttpError> {
    caller.require_admin()?;
    let before = asked.before.unwrap_or(i64::MAX);
    let (user, limit) = (asked.user, asked.limit.min(PAGE));
    let entries = api
        .store
        .run(move |store| store.audit_before(before, user, limit));
    Ok(Json(entries.await?))
}

#[derive(Deserialize)]
pub(super) struct From {
    /// Those after the one of this id.
    #[serde(default)]
    after: i64,
    /// Those of this time or later.
    since: Option<Timestamp>,
}

/// The same, as the operator asks for it, perhaps from some point on.
pub(super) async fn export(
    State(api): State<Api>,
    Parameters(from): Parameters<From>,
) -> Result<Response, HttpError> {
    let since = from.since.unwrap_or(Timestamp::from_millis(0));
    Ok(whole(api.store, from.after, since).await?)
}

/// All that was done, the oldest first: a line of JSON each. For admins.
#[utoipa::path(
    get, path = "/api/audit/export", tag = "people",
    security(("session" = []), ("token" = ["admin"])),
    responses((status = 200, description = "The events, a line each", content_type = "application/x-ndjson"))
)]
pub(super) async fn download(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Response, HttpError> {
    caller.require_admin()?;
    Ok(whole(api.store, 0, Timestamp::from_millis(0)).await?)
}

/// If the store fails in between, the answer breaks off.
async fn whole(store: Handle, after: i64, since: Timestamp) -> Result<Response, StoreError> {
    // A store that fails at once is an error, not a broken answer.
    let first = read(&store, after, since).await?;
    let body = Body::from_stream(lines(store, first, since));
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, body).into_response())
}

async fn read(store: &Handle, after: i64, since: Timestamp) -> Result<Vec<AuditEntry>, StoreError> {
    store
        .run(move |store| store.audit_after(after, since, PAGE))
        .await
}

fn lines(
    store: Handle,
    first: Vec<AuditEntry>,
    since: Timestamp,
) -> impl Stream<Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>> {
    stream::try_unfold(Some(first), move |page| {
        let store = store.clone();
        async move {
            let Some(last) = page.as_ref().and_then(|page| page.last()) else {
                return Ok(None);
            };
            let last = last.id;
            let mut text = Vec::new();
            for entry in page.iter().flatten() {
                serde_json::to_writer(&mut text, entry)?;
                text.push(b'\n');
            }
            let next = read(&store, last, since).await?;
            Ok(Some((text.into(), Some(next))))
        }
    })
}
