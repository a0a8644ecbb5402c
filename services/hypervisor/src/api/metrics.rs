//! `GET /metrics`: Prometheus text, for loopback or with the token.

use super::Api;
use crate::concurrency_limit::Scope;
use crate::error::HttpError;
use crate::runtime::Status;
use crate::server::Peer;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;
use subtle::ConstantTimeEq;

/// Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    Ok(([(header::CONTENT_TYPE, TEXT)], render(&api)).into_response())
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

fn render(api: &Api) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let responses: Vec<_> = (1..6)
        .map(|class| {
            let count = api.metrics.responses(class);
            (format!("{{class=\"{class}xx\"}}"), count)
        })
        .collect();
    family(
        "choiros_http_responses_total",
        "counter",
        "Responses by class of status.",
        &responses,
    );
    family(
        "choiros_swaps_total",
        "counter",
        "Swaps done.",
        &[(String::new(), api.routes.swaps())],
    );

    let seal = api.routes.seal();
    if seal.is_watched() {
        let holds = u64::from(seal.broken().is_none());
        family(
            "choiros_sealed",
            "gauge",
            "Whether the seal around the sandboxes holds.",
            &[(String::new(), holds)],
        );
    }

    let sandboxes: Vec<_> = api
        .routes
        .all()
        .iter()
        .flat_map(|workspace| workspace.pair().both().map(|route| route.sandbox.clone()))
        .collect();
    let held = sandboxes.iter().map(|sandbox| sandbox.holds() as u64).sum();
    let statuses: Vec<_> = sandboxes.iter().map(|it| it.view().status).collect();
    family(
        "choiros_claims",
        "gauge",
        "Requests that hold a sandbox.",
        &[(String::new(), held)],
    );
    let by_status: Vec<_> = Status::ALL
        .iter()
        .map(|status| {
            let count = statuses.iter().filter(|it| *it == status).count();
            (format!("{{status=\"{status}\"}}"), count as u64)
        })
        .collect();
    family(
        "choiros_sandboxes",
        "gauge",
        "Sandboxes by status.",
        &by_status,
    );
    let requests = api.routes.requests() as u64;
    family(
        "choiros_requests",
        "gauge",
        "Requests under way, those that wait for a sandbox included.",
        &[(String::new(), requests)],
    );
    let refused = Scope::ALL.map(|scope| {
        let cap = scope.as_str();
        (format!("{{cap=\"{cap}\"}}"), api.routes.refused(scope))
    });
    family(
        "choiros_refused_total",
        "counter",
        "Requests above a limit.",
        &refused,
    );
    let uptime = api.started.elapsed().as_secs();
    family(
        "choiros_uptime_seconds",
        "gauge",
        "Seconds since the start.",
        &[(String::new(), uptime)],
    );
    text
}
