//! `GET /metrics`: what Prometheus asks for, for loopback or with the token.
//!
//! `exposition` writes what the other modules find, each in its part of the program.

mod cluster;
mod disks;
mod exposition;
mod gateway;
mod process;
mod requests;
mod sandboxes;
mod workspaces;

pub use workspaces::Labels;

use super::Api;
use crate::error::HttpError;
use crate::peer::Peer;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use exposition::{Exposition, Format};
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};
use std::path::Path;
use subtle::ConstantTimeEq;

pub(super) async fn metrics(
    State(api): State<Api>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    if !(local(&peer, &headers)
        || bearer(&headers, api.config.server.metrics_token_file.as_deref()))
    {
        return Err(HttpError::new(
            StatusCode::FORBIDDEN,
            "metrics_closed",
            "metrics are for loopback; from elsewhere send the token of server.metrics_token_file as a bearer",
        ));
    }
    let format = Format::asked(&headers);
    // Off the worker, whose requests need not wait while workspaces are counted.
    let rendered = tokio::task::spawn_blocking(move || render(&api, format)).await;
    let page = rendered.ok().and_then(Result::ok).ok_or_else(|| {
        let message = "the metrics could not be written; the log may say why";
        HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    })?;
    let kind = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, "accept"),
    ];
    Ok((kind, page).into_response())
}

fn render(api: &Api, format: Format) -> Result<String, std::fmt::Error> {
    let mut page = Exposition::default();
    requests::tell(&mut page, api);
    workspaces::tell(&mut page, api);
    sandboxes::tell(&mut page, api);
    gateway::tell(&mut page, api);
    cluster::tell(&mut page, api);
    disks::tell(&mut page, api);
    process::tell(&mut page, api);
    page.render(format)
}

/// Called on this machine, and by no browser that was talked into it: a page elsewhere can
/// point a name of its own at loopback, but not send that name's requests as `localhost`.
fn local(peer: &Peer, headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.unwrap_or("localhost");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let ours = name == "localhost"
        || name
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok();
    peer.client.is_loopback() && ours
}

fn bearer(headers: &HeaderMap, file: Option<&Path>) -> bool {
    let sent = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some((sent, file)) = sent.zip(file) else {
        return false;
    };
    // Read at each call, so that a rotated token needs no restart.
    let Ok(token) = std::fs::read_to_string(file) else {
        return false;
    };
    let token = token.trim();
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    !token.is_empty() && bool::from(hash(sent).ct_eq(&hash(token)))
}
