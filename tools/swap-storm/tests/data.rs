//! Storm with data, in short: `make swap-storm STORM=--promote` does the same for long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use std::path::Path;
use swap_storm::data::{self, Class, Kind, Outcome, Plan};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promotions_faults_and_kills_lose_no_record_and_fail_no_request() {
    let plan = Plan {
        requests: 8_000,
        clients: 16,
        promotions: 13,
        faulty: 2,
        kills: 3,
        seed: 1,
    };
    let program = Path::new(env!("CARGO_BIN_EXE_swap-storm"));
    let report = data::run(&common::hypervisor(), program, &plan)
        .await
        .unwrap();
    assert!(report.is_clean(), "{plan}\n\n{report}");
    // And it was a storm indeed.
    assert!(report.answered() >= plan.requests, "{report}");
    assert!(report.records > 0 && report.ordered_away > 0, "{report}");
    for kind in Kind::ALL {
        assert!(report.rows[kind as usize].answered > 0, "{kind}\n{report}");
    }
    assert!(
        report.promotions_of(Class::Well, Outcome::Done) >= 7,
        "{report}"
    );
    assert_eq!(
        report.promotions_of(Class::Faulty, Outcome::TakenBack),
        2,
        "{report}"
    );
    for what in [
        "undone",
        "undone with data",
        "forks",
        "snapshots",
        "gateways killed",
    ] {
        assert!(report.others.contains_key(what), "{what}\n{report}");
    }
    assert!(!report.waited[&Class::Well].is_empty(), "{report}");
}
