//! Requests: how many, how long they took, and which were refused or held.

use super::exposition::Exposition;
use crate::api::Api;
use crate::concurrency_limit::Scope;
use crate::metrics::{CLASSES, ROLES};
use crate::role::Role;

pub(super) fn tell(page: &mut Exposition, api: &Api) {
    let (metrics, routes) = (&api.metrics, &api.routes);
    let class_of = |class| format!("{}xx", class + 1);
    page.counters(
        "choiros_http_responses",
        "Responses by class of status, those to what is no request included.",
        (0..CLASSES).map(|class| {
            let labels = vec![("class", class_of(class))];
            (labels, metrics.responses(class))
        }),
    );
    let all = ROLES
        .into_iter()
        .flat_map(|role| (0..CLASSES).map(move |class| (role, class)));
    page.histograms(
        "choiros_http_request_duration_seconds",
        "From a request's head to its response's last byte; to its head where a response lasts for as long as somebody listens.",
        all.map(|(role, class)| {
            let name = role.map_or("gateway", Role::as_str);
            let labels = vec![("role", name.to_owned()), ("class", class_of(class))];
            (labels, metrics.requests(role, class))
        }),
    );
    page.histograms(
        "choiros_upstream_duration_seconds",
        "From a request's last byte, or from its head if it has no body, to the head of the sandbox's response.",
        [Role::Live, Role::Dev].map(|role| {
            let labels = vec![("role", role.as_str().to_owned())];
            (labels, metrics.upstream(role))
        }),
    );
    page.gauge(
        "choiros_requests",
        "Requests under way, those that wait for a sandbox included.",
        routes.requests(),
    );
    page.counters(
        "choiros_refused",
        "Requests above a limit.",
        Scope::ALL.map(|scope| {
            let labels = vec![("cap", scope.as_str().to_owned())];
            (labels, routes.refused(scope))
        }),
    );
    let holds = routes.hold_metrics();
    page.gauge(
        "choiros_held_requests",
        "Requests that wait while a release or a volume is changed.",
        holds.waiting(),
    );
    page.histograms(
        "choiros_hold_seconds",
        "For how long requests waited so.",
        [(Vec::new(), holds.totals())],
    );
}
