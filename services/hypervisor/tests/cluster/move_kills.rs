//! A gateway is killed at each step of a move, and afterwards the workspace is at one machine, whole.

use crate::common::builder;
use crate::moving::{Moving, next};
use testkit::wait::eventually;

/// The steps of the machine that it goes from, and whether it has moved.
const SOURCE: [(&str, bool); 8] = [
    ("move_begun", false),
    ("move_sent", false),
    ("move_held", false),
    ("move_stopped", false),
    ("move_arrived", false),
    ("move_committed", true),
    ("move_archived_live", true),
    ("move_archived_dev", true),
];

/// Those of the machine that it goes to.
const TARGET: [&str; 3] = [
    "arrival_brought_live",
    "arrival_brought_dev",
    "arrival_started",
];

/// Kills one of the two gateways at a step, and starts it again.
async fn kill_at(moving: &mut Moving, step: &str, at_target: bool) -> (usize, usize) {
    let (home, target) = (moving.home(), next(moving.home()));
    let other = next(target);
    let dies = if at_target { target } else { home };
    let written = format!("before {step}");
    moving.write(other, &written).await.unwrap();
    let gateway = &mut moving.cluster.gateways[dies];
    gateway.set_env("FAIL_POINT", step);
    gateway.restart().await.unwrap();
    // The others have heard of that.
    let there = async || moving.write(other, &format!("{step}?")).await.ok();
    eventually("its workspace to be there again", there)
        .await
        .unwrap();
    let moved = moving.try_to_move(home, target).await;
    let gateway = &mut moving.cluster.gateways[dies];
    gateway.wait_exit().await.unwrap();
    assert!(
        moved.is_err() || step.starts_with("move_archived"),
        "{step}: {moved:?}"
    );
    let gateway = &mut moving.cluster.gateways[dies];
    gateway.remove_env("FAIL_POINT");
    gateway.restart().await.unwrap();
    (home, target)
}

async fn assert_whole(moving: &Moving, step: &str, written: &mut Vec<String>) {
    written.push(format!("before {step}"));
    let other = next(next(moving.home()));
    let told = format!("after {step}");
    let taken = async || moving.write(other, &told).await.ok();
    eventually("its workspace to be there", taken)
        .await
        .unwrap();
    written.push(told);
    moving.assert_settled().await;
    moving.assert_written(written).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_machine_that_it_goes_from_may_die_at_each_step() {
    let Some(mut moving) = Moving::start(builder).await else {
        return;
    };
    let mut written = Vec::new();
    for (step, moves) in SOURCE {
        let (home, target) = kill_at(&mut moving, step, false).await;
        let expected = if moves { target } else { home };
        assert_eq!(moving.home(), expected, "{step}");
        assert_whole(&moving, step, &mut written).await;
    }
    let home = moving.home();
    moving.try_to_move(home, next(home)).await.unwrap();
    moving.assert_written(&written).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_machine_that_it_goes_to_may_die_at_each_step() {
    let Some(mut moving) = Moving::start(builder).await else {
        return;
    };
    let mut written = Vec::new();
    for step in TARGET {
        let (home, _) = kill_at(&mut moving, step, true).await;
        assert_eq!(moving.home(), home, "{step}");
        assert_whole(&moving, step, &mut written).await;
    }
    let home = moving.home();
    moving.try_to_move(home, next(home)).await.unwrap();
    moving.assert_written(&written).await;
}
