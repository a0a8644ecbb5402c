//! `GET /api/openapi.json`: all that is below `/api`, as the code itself describes it.
//!
//! A route there is made of its handler's description (`#[utoipa::path]`), so that none is left
//! out, and who may call it is what its description says: see [`super::guard`].

use super::guard::{Rules, guard};
use super::{Api, acts, hosts, inventory, log, people, slots, tokens};
use crate::config::Config;
use crate::error::ErrorBody;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use http::{HeaderValue, header};
use std::sync::Arc;
use utoipa::PartialSchema as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, Content, InfoBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder, Server,
};
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
    complete(&mut document);
    document.servers = Some(vec![Server::new(config.api_base())]);
    let rules = Arc::new(Rules::of(&document));
    let text = Document(document.to_json().unwrap_or_default().into());
    router
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn_with_state(rules, guard))
        .layer(Extension(text))
}

/// Adds what all operations have in common: a name of its own, and how each is refused.
fn complete(document: &mut OpenApi) {
    let error = Ref::from_schema_name("Error");
    let refusal = Content::builder().schema(Some(error)).build();
    let refusal = ResponseBuilder::new()
        .description("Why not")
        .content("application/json", refusal)
        .build();
    for (path, item) in &mut document.paths.paths {
        let methods = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        let there = methods
            .into_iter()
            .filter_map(|(method, it)| Some((method, it.as_mut()?)));
        for (method, operation) in there {
            let words = path.split(|it: char| !it.is_ascii_alphanumeric());
            let words = words.filter(|word| !word.is_empty() && *word != "api");
            let name: Vec<_> = [method].into_iter().chain(words).collect();
            operation.operation_id = Some(name.join("_"));
            let responses = &mut operation.responses.responses;
            let default = responses.entry("default".to_owned());
            default.or_insert_with(|| refusal.clone().into());
        }
    }
}

/// The document, without paths.
fn empty() -> OpenApi {
    let mut components = Components::new();
    let error = ErrorBody::schema();
    components.schemas.insert("Error".to_owned(), error);
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
