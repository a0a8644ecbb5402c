//! The page of a whole run: `services/BENCH.md`.

use crate::machine;
use crate::settings::Settings;
use crate::table::Table;
use std::fmt::Write;

const HEAD: &str = "\
# The hypervisor beside nginx and HAProxy

Written by `make bench WRITE=1`; don't edit it.
";

const READING: &str = "
How to read it: each figure is the median of the rounds, with the smallest and the largest in
brackets, and each ratio is one of medians of this run. The rounds are interleaved: every server
once, then every server again. Load generator, proxy and upstream share the machine. `direct` is
the upstream without a proxy.

Peers have two workers or threads, keep their connections to the upstream and write no access
log; their configs are in `services/bench/peers`. The hypervisor runs with its shipped defaults,
log and metrics included, and checks the session of every request. All of them get the same bytes.

CPU is the processor time of the proxy's processes for 100,000 requests or messages. Memory is
that of all its processes halfway through a round, with shared pages counted once. Latencies are
wrk's, of closed loops: each connection asks again when it has its answer.
";

/// The page with these tables, of a run of these cases that was made now.
pub fn page(settings: &Settings, cases: &str, tables: &[Table]) -> String {
    let mut page = HEAD.to_owned();
    let today = time::OffsetDateTime::now_utc().date();
    let (rounds, secs) = (settings.rounds, settings.secs);
    let machine = machine::describe(&settings.hypervisor);
    // Writing into a String cannot fail.
    let _ = write!(
        page,
        "\n- date: {today}\n- cases: {cases}; {rounds} rounds of {secs} seconds\n{machine}"
    );
    page += READING;
    for table in tables {
        let _ = write!(page, "\n{table}");
    }
    page
}
