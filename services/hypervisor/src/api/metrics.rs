//! `GET /metrics`: Prometheus text, for loopback or with the token.

use super::Api;
use crate::concurrency_limit::Scope;
use crate::error::HttpError;
use crate::peer::Peer;
use crate::routes::Routes;
use crate::runtime::Status;
use crate::timestamp::Timestamp;
use crate::tls::Acme;
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

/// What is told, in Prometheus' words.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, kind: &str, name: &str, help: &str, samples: &[(String, u64)]) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family("gauge", name, help, &[(String::new(), value)]);
    }
}

fn render(api: &Api) -> String {
    let mut page = Page::default();
    let responses: Vec<_> = (1..6)
        .map(|class| {
            (
                format!("{{class=\"{class}xx\"}}"),
                api.metrics.responses(class),
            )
        })
        .collect();
    page.family(
        "counter",
        "choiros_http_responses_total",
        "Responses by class of status.",
        &responses,
    );
    let swaps = [(String::new(), api.routes.swaps())];
    page.family("counter", "choiros_swaps_total", "Swaps done.", &swaps);
    sandboxes(&mut page, &api.routes);
    changes(&mut page, &api.routes);
    requests(&mut page, &api.routes);
    if let Some(acme) = &api.acme {
        certificates(&mut page, acme);
    }
    let uptime = api.started.elapsed().as_secs();
    page.gauge("choiros_uptime_seconds", "Seconds since the start.", uptime);
    page.0
}

/// Of those that the gateway gets by itself.
fn certificates(page: &mut Page, acme: &Acme) {
    let all = acme.certificates();
    let valid = all.iter().filter(|it| it.valid).count();
    page.gauge(
        "choiros_certificates",
        "Certificates that are good.",
        valid as u64,
    );
    let first = all.iter().filter_map(|it| it.expires_at).min();
    if let Some(first) = first {
        let left = first.millis() - Timestamp::now().millis();
        page.gauge(
            "choiros_certificate_expiry_seconds",
            "Seconds until the first of the certificates ends; 0 once one has.",
            u64::try_from(left / 1000).unwrap_or(0),
        );
    }
    page.family(
        "counter",
        "choiros_certificate_failures_total",
        "Orders of certificates that failed.",
        &[(String::new(), acme.failures())],
    );
}

fn sandboxes(page: &mut Page, routes: &Routes) {
    let seal = routes.seal();
    if seal.is_watched() {
        let holds = u64::from(seal.broken().is_none());
        page.gauge(
            "choiros_sealed",
            "Whether the seal around the sandboxes holds.",
            holds,
        );
    }
    let pairs = routes.all().into_iter().map(|workspace| workspace.pair());
    let sandboxes: Vec<_> = pairs
        .flat_map(|pair| pair.both().map(|route| route.sandbox.clone()))
        .collect();
    let held = sandboxes.iter().map(|sandbox| sandbox.holds() as u64).sum();
    page.gauge("choiros_claims", "Requests that hold a sandbox.", held);
    let statuses: Vec<_> = sandboxes.iter().map(|it| it.view().status).collect();
    let by_status = Status::ALL.map(|status| {
        let count = statuses.iter().filter(|it| **it == status).count();
        (format!("{{status=\"{status}\"}}"), count as u64)
    });
    page.family(
        "gauge",
        "choiros_sandboxes",
        "Sandboxes by status.",
        &by_status,
    );
}

/// Promotions, and the requests that they hold.
fn changes(page: &mut Page, routes: &Routes) {
    let outcomes = routes.promotions().all();
    let outcomes = outcomes.map(|(outcome, count)| (format!("{{outcome=\"{outcome}\"}}"), count));
    page.family(
        "counter",
        "choiros_promotions_total",
        "Promotions by what became of them.",
        &outcomes,
    );
    let holds = routes.hold_metrics();
    page.gauge(
        "choiros_held_requests",
        "Requests that wait while a release or a volume is changed.",
        holds.waiting() as u64,
    );
    let mut all = 0;
    let buckets = holds.buckets().map(|(end, count)| {
        all = count;
        let end = end.map_or("+Inf".to_owned(), |end| end.to_string());
        (format!("_bucket{{le=\"{end}\"}}"), count)
    });
    let mut samples: Vec<_> = buckets.collect();
    samples.push(("_count".to_owned(), all));
    page.family(
        "histogram",
        "choiros_hold_seconds",
        "For how long requests waited so.",
        &samples,
    );
    let _ = writeln!(page.0, "choiros_hold_seconds_sum {}", holds.total_secs());
}

fn requests(page: &mut Page, routes: &Routes) {
    page.gauge(
        "choiros_requests",
        "Requests under way, those that wait for a sandbox included.",
        routes.requests() as u64,
    );
    let refused = Scope::ALL.map(|scope| {
        let labels = format!("{{cap=\"{}\"}}", scope.as_str());
        (labels, routes.refused(scope))
    });
    page.family(
        "counter",
        "choiros_refused_total",
        "Requests above a limit.",
        &refused,
    );
}
