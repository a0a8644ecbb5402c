//! The page of a whole run: `tools/BENCH.md`.

use crate::certificate::{GROUP, SUITE};
use crate::machine;
use crate::settings::Settings;
use crate::table::Table;
use std::fmt::Write;

/// The page with these tables, of a run of these cases that was made now.
pub fn page(settings: &Settings, cases: &str, tables: &[Table]) -> String {
    let today = time::OffsetDateTime::now_utc().date();
    let (rounds, secs) = (settings.rounds, settings.secs);
    let machine = machine::describe(&settings.hypervisor);
    let mut page = format!(
        "\
# The hypervisor beside its peers

Written by `make bench WRITE=1`; don't edit it.

- date: {today}
- cases: {cases}; {rounds} rounds of {secs} seconds
{machine}
How to read it: each figure is the median of the rounds, with the smallest and the largest in
brackets, and each ratio is one of medians of this run. The rounds are interleaved: every server
once, then every server again. Load generator, proxy and upstream share the machine. `direct` is
the upstream without a proxy, `before` an older hypervisor.

The peers' configs are in `tools/bench/peers`: two workers or threads, kept connections to the
upstream, no access log. The hypervisor runs with its shipped defaults, log and metrics included,
and checks the session of every request; in tables of TLS it ends TLS itself. Of the others only
those with `auth_request` and `forward_auth` check one: they ask an nginx that compares the
cookie. `Caddy + hypervisor` is what the NixOS module sets up. All get the same bytes.

TLS is 1.3 with an ECDSA P-256 certificate; the clients offer {SUITE} and {GROUP} alone.
Connections are kept, so that handshakes are no part of what is measured, but in `fresh`, where
each request has a new connection with a full handshake: its client never resumes a session, and
checks that it did not.

CPU is the processor time of all processes between client and upstream, Caddy and the service that
is asked included, for 100,000 requests or messages; memory is theirs halfway through a round, with
shared pages counted once. Latencies are of closed loops: each connection asks again when it has
its response.
"
    );
    for table in tables {
        // Writing into a String cannot fail.
        let _ = write!(page, "\n{table}");
    }
    page
}
