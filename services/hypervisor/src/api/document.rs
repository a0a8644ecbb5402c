//! `GET /api/openapi.json`: all that is below `/api`, as the code itself describes it.
//!
//! A route there is made of its handler's description (`#[utoipa::path]`), so that none is left
//! out, and who may call it is what its description says: see [`super::guard`].

use super::guard::{Rules, guard};
use super::{Api, acts, hosts, inventory, log, people, slots, tokens};
use crate::config::Config;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use http::{HeaderValue, header};
use std::sync::Arc;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, Server};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The largest body below `/api` is a few hundred bytes.
const MOST_BYTES: usize = 64 * 1024;

const ABOUT: &str = "What a ChoirOS gateway tells, and does, below /api. Programs come with \
    `Authorization: Bearer choiros_…`, a token of a person who made it on the account page or with \
    `hypervisor tokens create`; pages of the gateway come with the session's cookie.";

/// Every operation below `/api`, with its description.
fn operations() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(empty())
        .routes(routes!(open_api))
        .routes(routes!(hosts::exists))
        .routes(routes!(inventory::list))
        .routes(routes!(inventory::one))
        .routes(routes!(inventory::control))
        .routes(routes!(log::log))
        .routes(routes!(slots::slots))
        .routes(routes!(tokens::list))
        .routes(routes!(acts::by_token::act))
        .merge(people::operations())
}

/// The same, for those who may call them.
pub(super) fn router(config: &Config) -> Router<Api> {
    let (router, mut document) = operations().split_for_parts();
    document.servers = Some(vec![Server::new(config.api_base())]);
    let rules = Arc::new(Rules::of(&document));
    let text = Document(document.to_json().unwrap_or_default().into());
    router
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn_with_state(rules, guard))
        .layer(Extension(text))
}

/// The document, without paths.
fn empty() -> OpenApi {
    let mut components = Components::new();
    let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = http.bearer_format("choiros_…").build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        "choiros",
        "The session's cookie, for the gateway's own pages. Its name has a prefix or the port behind it at some gateways.",
    ));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    let info = InfoBuilder::new()
        .title("ChoirOS gateway")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT));
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .build()
}

#[derive(Clone)]
struct Document(Bytes);

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "api", security(()),
    responses((status = 200, description = "The OpenAPI document", content_type = "application/json"))
)]
async fn open_api(Extension(document): Extension<Document>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], document.0).into_response()
}
