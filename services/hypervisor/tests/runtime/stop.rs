//! Stopping, and what it means for those who use the sandbox.

use super::bench::{Bench, alive, claim, get, until, until_status};
use futures_util::future::join_all;
use hypervisor::runtime::{RuntimeError, Status, StoppedBy};
use hypervisor::timestamp::Timestamp;
use std::sync::Arc;

#[tokio::test]
async fn a_stop_ends_the_whole_process_group() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["grandchild"]);
    sandbox.ready().await.unwrap();
    assert!(alive(bench.grandchild("one")));
    sandbox.stop().await.unwrap();
    assert_eq!(sandbox.view().status, Status::Stopped);
    assert!(!alive(bench.starts("one")[0]));
    assert!(!alive(bench.grandchild("one")));
    sandbox.stop().await.unwrap();
    sandbox.ready().await.unwrap();
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_crash_ends_the_rest_of_the_process_group() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["grandchild"]);
    sandbox.ready().await.unwrap();
    let grandchild = bench.grandchild("one");
    super::process::kill(bench.starts("one")[0]);
    until("a second start", || bench.starts("one").len() == 2).await;
    assert!(!alive(grandchild));
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_sandbox_that_ignores_sigterm_is_killed_after_stop_secs() {
    let bench = Bench::with(|config| config.runtime.stop_secs = 1);
    let sandbox = bench.sandbox("one", &["ignore_sigterm", "grandchild"]);
    sandbox.ready().await.unwrap();
    sandbox.stop().await.unwrap();
    assert!(!alive(bench.starts("one")[0]));
    assert!(!alive(bench.grandchild("one")));
}

#[tokio::test]
async fn a_grandchild_that_ignores_sigterm_is_killed_too() {
    let bench = Bench::with(|config| config.runtime.stop_secs = 1);
    let sandbox = bench.sandbox("one", &["grandchild=stubborn"]);
    sandbox.ready().await.unwrap();
    // Its shell has come to the trap when it is the sleep.
    let name = format!("/proc/{}/comm", bench.grandchild("one"));
    until("it sleeps", || {
        std::fs::read_to_string(&name).unwrap() == "sleep\n"
    })
    .await;
    sandbox.stop().await.unwrap();
    assert!(!alive(bench.grandchild("one")));
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_turns_new_ones_away() {
    let bench = Bench::with(|config| config.runtime.stop_secs = 20);
    let sandbox = bench.sandbox("one", &[]);
    let hold = claim(&sandbox).await;
    let stop = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.stop().await }
    });
    until_status(&sandbox, Status::Draining).await;
    assert!(sandbox.enter().is_none());
    get(hold.address()).unwrap();
    assert!(!stop.is_finished());
    drop(hold);
    stop.await.unwrap().unwrap();
    assert_eq!(sandbox.view().status, Status::Stopped);
}

#[tokio::test]
async fn a_request_during_a_stop_gets_a_new_instance() {
    let bench = Bench::with(|config| config.runtime.stop_secs = 20);
    let sandbox = bench.sandbox("one", &[]);
    let hold = claim(&sandbox).await;
    let stop = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.stop().await }
    });
    until_status(&sandbox, Status::Draining).await;
    let late = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { claim(&sandbox).await }
    });
    drop(hold);
    stop.await.unwrap().unwrap();
    get(late.await.unwrap().address()).unwrap();
    assert_eq!(bench.starts("one").len(), 2);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_stop_while_it_starts_tells_who_waits() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["slow_ms=60000"]);
    let start = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.ready().await }
    });
    until("started", || bench.starts("one").len() == 1).await;
    sandbox.stop().await.unwrap();
    let error = start.await.unwrap().unwrap_err();
    assert!(matches!(error, RuntimeError::Stopped { .. }), "{error:?}");
    assert!(!alive(bench.starts("one")[0]));
}

fn ada() -> StoppedBy {
    StoppedBy {
        by: "ada@example.org".into(),
        at: Timestamp::from_millis(0),
    }
}

#[tokio::test]
async fn one_that_a_person_stopped_is_started_by_no_request() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &[]);
    sandbox.ready().await.unwrap();
    sandbox.set_stopped_by(Some(ada()));
    sandbox.stop().await.unwrap();
    assert!(sandbox.enter().is_none());
    let error = sandbox.ready().await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::StoppedByHand { .. }),
        "{error:?}"
    );
    let said = error.to_string();
    for part in [
        "`one`",
        "ada@example.org",
        "1970-01-01T00:00:00Z",
        "`hypervisor sandboxes start w <role>`",
        "account page",
    ] {
        assert!(said.contains(part), "no «{part}» in: {said}");
    }
    assert_eq!(bench.starts("one").len(), 1);
    assert_eq!(sandbox.stopped_by(), Some(ada()));
    // A change may start it all the same, and does not end that.
    sandbox.start().await.unwrap();
    assert_eq!(sandbox.stopped_by(), Some(ada()));
    sandbox.stop().await.unwrap();
    sandbox.set_stopped_by(None);
    sandbox.ready().await.unwrap();
    assert_eq!(bench.starts("one").len(), 3);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn requests_that_came_before_a_stop_by_a_person_do_not_start_it_after() {
    let bench = Bench::with(|config| config.runtime.stop_secs = 20);
    let sandbox = bench.sandbox("one", &[]);
    let hold = claim(&sandbox).await;
    let stop = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.stop().await }
    });
    until_status(&sandbox, Status::Draining).await;
    // It has asked its supervisor, who is busy with the stop.
    let late = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.ready().await }
    });
    tokio::task::yield_now().await;
    sandbox.set_stopped_by(Some(ada()));
    drop(hold);
    stop.await.unwrap().unwrap();
    let error = late.await.unwrap().unwrap_err();
    assert!(
        matches!(error, RuntimeError::StoppedByHand { .. }),
        "{error:?}"
    );
    assert_eq!(bench.starts("one").len(), 1);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_stops_every_sandbox_and_starts_none_again() {
    let bench = Bench::new();
    let names = ["one", "two", "three"];
    let all = names.map(|name| bench.sandbox(name, &["grandchild"]));
    join_all(all.iter().map(|sandbox| sandbox.ready())).await;
    bench.runtime.shutdown().await;
    for name in names {
        assert!(!alive(bench.starts(name)[0]));
        assert!(!alive(bench.grandchild(name)));
    }
    let error = all[0].ready().await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::ShuttingDown { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_draining_sandbox_is_shown_as_such() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &[]);
    let guard = sandbox.drain_guard();
    assert_eq!(sandbox.view().status, Status::Stopped);
    sandbox.ready().await.unwrap();
    assert_eq!(sandbox.view().status, Status::Draining);
    assert!(sandbox.enter().is_some());
    drop(guard);
    assert_eq!(sandbox.view().status, Status::Running);
    bench.runtime.shutdown().await;
}
