//! Stopping what nobody uses, and never what somebody does.

use super::bench::{Bench, claim, get, until_status};
use hypervisor::runtime::Status;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test]
async fn an_idle_sandbox_is_stopped_and_a_held_one_is_not() {
    let bench = Bench::with(|config| config.runtime.idle_secs = 1);
    let sandbox = bench.sandbox("one", &[]);
    let hold = claim(&sandbox).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(sandbox.view().status, Status::Running);
    assert_eq!(sandbox.view().idle_secs, 0);
    get(hold.address()).unwrap();
    drop(hold);
    until_status(&sandbox, Status::Stopped).await;
    assert!(sandbox.enter().is_none());
    get(claim(&sandbox).await.address()).unwrap();
    assert_eq!(bench.starts("one").len(), 2);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_sandbox_without_an_idle_limit_stays() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &[]);
    sandbox.ready().await.unwrap();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(sandbox.view().status, Status::Running);
    assert!(sandbox.view().idle_secs >= 1);
    bench.runtime.shutdown().await;
}

/// Requests that come just when the idle time is over: each gets an instance that serves it,
/// be it the old one, held in time, or a new one.
#[tokio::test]
async fn a_hold_taken_during_an_idle_stop_is_never_on_a_dead_instance() {
    let bench = Bench::with(|config| config.runtime.idle_secs = 1);
    let sandbox = bench.sandbox("one", &[]);
    for round in 0..8 {
        let hold = claim(&sandbox).await;
        get(hold.address()).unwrap();
        drop(hold);
        sleep(Duration::from_millis(998 + round)).await;
    }
    bench.runtime.shutdown().await;
}
