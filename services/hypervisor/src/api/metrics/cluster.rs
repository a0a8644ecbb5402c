//! The other machines, and what this one knows of them.

use super::exposition::{Exposition, PLAIN};
use crate::api::Api;
use crate::store::MachineRow;

pub(super) fn tell(page: &mut Exposition, api: &Api) {
    let lease = api.store.lease();
    page.gauges(
        "choiros_store_unconfirmed_seconds",
        "Seconds since it was last known that what is in memory is what the store has.",
        lease.map(|lease| (PLAIN, lease.unconfirmed.as_secs_f64())),
    );
    page.gauges(
        "choiros_store_lease_seconds",
        "Seconds for which known sessions go on if the store is not heard of again.",
        lease.map(|lease| (PLAIN, lease.left.as_secs_f64())),
    );
    let machines = api.machines.all();
    let of = |value: fn(&MachineRow) -> u64| {
        let all = machines.iter();
        let all = all.map(move |it| (vec![("machine", it.name.clone())], value(it)));
        all.collect::<Vec<_>>()
    };
    page.gauges(
        "choiros_machine_up",
        "Whether a machine's gateway was heard of just now, by the store.",
        of(|it| it.is_there.into()),
    );
    page.gauges(
        "choiros_machine_behind_revisions",
        "How many of the store's transactions a machine has not confirmed.",
        of(|it| it.behind),
    );
    page.gauges(
        "choiros_machine_workspaces",
        "Workspaces that have a machine for their home.",
        of(|it| it.workspaces),
    );
    let forwarded = || api.forwarding.iter().flat_map(|it| it.counts());
    let label = |machine: &str| vec![("machine", machine.to_owned())];
    page.counters(
        "choiros_forwarded_requests",
        "Requests that were carried to another machine.",
        forwarded().map(|(machine, count)| (label(machine), count.carried)),
    );
    page.counters(
        "choiros_forward_failures",
        "Those that another machine did not answer.",
        forwarded().map(|(machine, count)| (label(machine), count.failed)),
    );
}
