//! Sandboxes: how they are, how long their starts took, and how their changes went.

use super::exposition::{Exposition, PLAIN};
use crate::api::Api;
use crate::routes::Slots;
use crate::runtime::Status;

pub(super) fn tell(page: &mut Exposition, api: &Api) {
    let routes = &api.routes;
    let seal = routes.seal();
    let holds = seal
        .is_watched()
        .then(|| (PLAIN, u64::from(seal.broken().is_none())));
    page.gauges(
        "choiros_sealed",
        "Whether the seal around the sandboxes holds, where there is one.",
        holds,
    );
    let pairs = routes.all().into_iter().map(|workspace| workspace.pair());
    let sandboxes: Vec<_> = pairs
        .flat_map(|pair| pair.both().map(|route| route.sandbox.clone()))
        .collect();
    slots(page, api);
    let held: usize = sandboxes.iter().map(|sandbox| sandbox.holds()).sum();
    page.gauge("choiros_claims", "Requests that hold a sandbox.", held);
    let statuses: Vec<_> = sandboxes.iter().map(|it| it.view().status).collect();
    page.gauges(
        "choiros_sandboxes",
        "Sandboxes by status.",
        Status::ALL.map(|status| {
            let count = statuses.iter().filter(|it| **it == status).count();
            (vec![("status", status.to_string())], count)
        }),
    );
    page.counter(
        "choiros_sandbox_crashes",
        "Crashes of sandboxes, and starts of them that failed.",
        sandboxes.iter().map(|sandbox| sandbox.crashes()).sum(),
    );
    page.histograms(
        "choiros_cold_start_duration_seconds",
        "From the request that found a sandbox at rest to the moment that it was let in.",
        [(Vec::new(), routes.cold_starts())],
    );
    page.counter("choiros_swaps", "Swaps done.", routes.swaps());
    let outcomes = routes.promotions().all();
    page.counters(
        "choiros_promotions",
        "Promotions by what became of them.",
        outcomes.map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count)),
    );
}

/// Of the host's, where it has some.
fn slots(page: &mut Exposition, api: &Api) {
    let Slots { total, free } = api.routes.slots();
    let states = [("free", free), ("claimed", total - free)];
    page.gauges(
        "choiros_slots",
        "Slots of the host by whether a workspace has them, where it has any.",
        states
            .into_iter()
            .filter(|_| total > 0)
            .map(|(state, count)| (vec![("state", state.to_owned())], u64::from(count))),
    );
}
