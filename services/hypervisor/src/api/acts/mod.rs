//! `/auth/acts`: sensitive acts, each of which takes a passkey for that very act.
//!
//! A start says what will happen and asks for a passkey; the finish does it, once. Where sandboxes
//! share our origin, their scripts could ask as well as our pages. There a browser gets the
//! challenge in a page alone, which only a top-level navigation opens and which no script sees.

mod act;
mod archives;
pub(super) mod by_token;
mod of;
mod own;
mod page;
mod people;
mod schema;
mod sentences;
mod tokens;
mod workspace;

pub use act::Act;
pub(super) use of::steered;

use super::Api;
use crate::auth::{Actor, Auth, Caller, Client};
use crate::config::Origins;
use crate::error::{HttpError, Payload};
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use webauthn_rs::prelude::PublicKeyCredential;

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/auth/acts/start", post(start))
        .route("/auth/acts/finish", post(finish))
        .route("/auth/acts/{id}", get(page::page))
        .route("/auth/passkeys/start", post(start_passkey))
}

async fn start(
    State(api): State<Api>,
    client: Client,
    headers: HeaderMap,
    Payload(act): Payload<Act>,
) -> Result<Json<Value>, HttpError> {
    let session = client.full()?;
    let summary = act.check(&api, &Caller::Person(session.clone())).await?;
    let begun = api.auth.begin_act(&api.acts, session, act, summary.clone());
    let (id, options) = begun.await?;
    let mut said = json!({
        "id": id,
        "summary": summary,
        "expires_in_secs": api.acts.lasts().as_secs(),
    });
    if needs_page(&api, &headers) {
        said["confirm"] = path(&api, id).into();
    } else {
        said["publicKey"] = options;
    }
    Ok(Json(said))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    id: Uuid,
    credential: PublicKeyCredential,
}

async fn finish(
    State(api): State<Api>,
    client: Client,
    Payload(form): Payload<Finish>,
) -> Result<Response, HttpError> {
    let auth = &api.auth;
    let confirmed = auth.confirm(&api.acts, client, form.id, form.credential);
    let (act, by) = confirmed.await?;
    act.perform(&api, Actor::Person(by)).await
}

/// At the operator's socket.
pub(super) async fn by_operator(
    State(api): State<Api>,
    Payload(act): Payload<Act>,
) -> Result<Response, HttpError> {
    act.check(&api, &Caller::Operator).await?;
    act.perform(&api, Actor::Operator).await
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

/// One more passkey for who came with a recovery code, which takes no other.
async fn start_passkey(
    State(api): State<Api>,
    client: Client,
    headers: HeaderMap,
    Payload(form): Payload<Named>,
) -> Result<Response, HttpError> {
    let session = client.any()?;
    if !session.is_full() && needs_page(&api, &headers) {
        let summary = own::adds_passkey(session, form.name.as_deref())?;
        let act = Act::add_passkey(form.name);
        let id = Auth::begin_page(&api.acts, session, act, summary);
        return Ok(Json(json!({ "confirm": path(&api, id) })).into_response());
    }
    let begun = api.auth.begin_recovery_passkey(client, form.name);
    let (options, cookie) = begun.await?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(options)).into_response())
}

/// Whether what asks may be a script of a sandbox: programs send none of these headers, and
/// browsers let no page leave them out.
fn needs_page(api: &Api, headers: &HeaderMap) -> bool {
    let is_browsers = |name: &str| name == "origin" || name.starts_with("sec-fetch-");
    api.config.origins == Origins::Shared && headers.keys().any(|name| is_browsers(name.as_str()))
}

/// Where an act's page is.
fn path(api: &Api, id: Uuid) -> String {
    format!("{}/auth/acts/{id}", api.config.prefix())
}
