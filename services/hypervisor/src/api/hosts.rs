//! `GET /api/hosts?domain=<name>`: whether a host exists, for what gets certificates on demand.

use super::Api;
use crate::error::HttpError;
use crate::peer::Peer;
use axum::Extension;
use axum::extract::{Query, State};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The name of a host.
    domain: String,
}

/// Whether the gateway serves a host: 200 for its own and every sandbox's, 404 for all others.
/// Only programs on the gateway's machine may ask.
#[utoipa::path(
    get, path = "/api/hosts", tag = "hosts", params(Asked), security(()),
    responses(
        (status = 200, description = "It does"),
        (status = 403, description = "Asked from another machine"),
        (status = 404, description = "It does not"),
    )
)]
pub(super) async fn exists(
    State(api): State<Api>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<StatusCode, HttpError> {
    if !is_from_this_machine(&peer, &headers) {
        return Err(HttpError::new(
            StatusCode::FORBIDDEN,
            "hosts_closed",
            "only a program on this machine may ask which hosts there are; ask the gateway's loopback address or Unix socket itself",
        ));
    }
    if api.routes.host_exists(&asked.domain) {
        return Ok(StatusCode::OK);
    }
    Err(HttpError::new(
        StatusCode::NOT_FOUND,
        "no_host",
        "there is no such host; `hypervisor sandboxes` lists those that there are",
    ))
}

/// Whether it is from a program on this machine, and not passed on for a client elsewhere.
fn is_from_this_machine(peer: &Peer, headers: &HeaderMap) -> bool {
    let near = |address: std::net::IpAddr| address.is_loopback();
    let passed_on = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
    peer.source.address().is_none_or(near) && (!passed_on || peer.trusted && near(peer.client))
}
