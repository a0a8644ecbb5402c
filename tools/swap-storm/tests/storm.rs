//! Swap under fire, in short: `make swap-storm` does the same for long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::hypervisor;
use swap_storm::{Fault, Kind, Origins, Plan};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaps_faults_and_a_restart_under_fire_lose_nothing() {
    let plan = Plan {
        requests: 20_000,
        clients: 64,
        swaps: 10,
        restarts: 1,
        seed: 1,
        origins: Origins::Own,
    };
    let report = swap_storm::run(&hypervisor(), &plan).await.unwrap();
    assert!(report.is_clean(), "{plan}\n\n{report}");
    // And it was a storm indeed.
    assert!(report.answered() >= plan.requests, "{report}");
    for kind in Kind::ALL {
        let row = report.rows.iter().find(|row| row.kind == kind).unwrap();
        assert!(row.answered > 0, "{kind}\n{report}");
    }
    for fault in Fault::ALL {
        assert!(
            report.faults.contains_key(&fault.to_string()),
            "{fault}\n{report}"
        );
    }
    assert!(report.accounted.values().sum::<u64>() > 0, "{report}");
    assert!(report.sockets.drained > 0, "{report}");
    assert!(report.events.drained > 0, "{report}");
    assert_eq!(report.swaps.len() as u64, plan.swaps, "{report}");
    assert_eq!(report.refusals, 4, "{report}");
    assert_eq!(report.restarts.len() as u64, plan.restarts, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaps_lose_nothing_where_sandboxes_share_an_origin() {
    let plan = Plan {
        requests: 4000,
        clients: 64,
        swaps: 3,
        restarts: 1,
        seed: 2,
        origins: Origins::Shared,
    };
    let report = swap_storm::run(&hypervisor(), &plan).await.unwrap();
    assert!(report.is_clean(), "{plan}\n\n{report}");
    assert_eq!(report.swaps.len() as u64, plan.swaps, "{report}");
}
