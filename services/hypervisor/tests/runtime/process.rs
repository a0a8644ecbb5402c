//! Starting, crashing and failing.

use super::bench::{Bench, alive, claim, get, spec, until, until_status};
use futures_util::future::join_all;
use hypervisor::runtime::{RuntimeError, Status};
use rustix::process::{Pid, Signal, kill_process};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

pub fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn two_hundred_requests_start_a_stopped_sandbox_once() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["slow_ms=200"]);
    assert_eq!(sandbox.view().status, Status::Stopped);
    let holds = join_all((0..200).map(|_| claim(&sandbox))).await;
    assert!(get(holds[0].address()).unwrap().contains(r#""name":"one""#));
    assert_eq!(bench.starts("one").len(), 1);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_cancelled_request_harms_no_other() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["slow_ms=300"]);
    let first = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.ready().await }
    });
    until("started", || bench.starts("one").len() == 1).await;
    first.abort();
    sandbox.ready().await.unwrap();
    assert_eq!(bench.starts("one").len(), 1);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_sandbox_is_running_only_once_it_is_healthy() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["hang"]);
    let start = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.start().await }
    });
    until("started", || bench.starts("one").len() == 1).await;
    assert_eq!(sandbox.view().status, Status::Starting);
    assert!(sandbox.enter().is_none());
    assert!(!start.is_finished());
    bench.set("one", &[]);
    start.await.unwrap().unwrap();
    let view = sandbox.view();
    assert_eq!((view.status, view.cause), (Status::Running, None));
    assert!(view.age_secs.is_some() && view.address.is_some());
    sandbox.probe().await.unwrap();
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_start_that_takes_too_long_says_what_is_missing() {
    let bench = Bench::with(|config| config.runtime.start_secs = 1);
    let sandbox = bench.sandbox("one", &["slow_ms=60000", "complain=waiting for the moon"]);
    let error = sandbox.ready().await.unwrap_err();
    assert!(matches!(error, RuntimeError::TimedOut { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("not healthy within 1 s"), "{said}");
    assert!(said.contains("runtime.start_secs"), "{said}");
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_crashed_sandbox_is_started_again() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &[]);
    sandbox.ready().await.unwrap();
    let first = bench.starts("one")[0];
    kill(first);
    until("a second start", || bench.starts("one").len() == 2).await;
    until_status(&sandbox, Status::Running).await;
    let hold = claim(&sandbox).await;
    get(hold.address()).unwrap();
    assert!(!alive(first));
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_crash_loop_ends_in_failed_with_the_last_stderr_lines() {
    let bench = Bench::with(|config| config.runtime.max_restarts = 3);
    let sandbox = bench.sandbox("one", &["die", "complain=no such planet"]);
    let error = sandbox.ready().await.unwrap_err();
    assert!(matches!(error, RuntimeError::Failed { .. }), "{error:?}");
    let said = error.to_string();
    for part in [
        "`one`",
        "exited with status 3",
        "no such planet",
        "tries again",
    ] {
        assert!(said.contains(part), "no «{part}» in: {said}");
    }
    let view = sandbox.view();
    assert_eq!(view.status, Status::Failed);
    assert!(view.cause.unwrap().contains("no such planet"));
    assert_eq!(bench.starts("one").len(), 3);

    // The next request is told at once; a start by hand tries as often as the first time.
    let again = sandbox.ready().await.unwrap_err();
    assert_eq!(again.to_string(), said);
    assert_eq!(bench.starts("one").len(), 3);
    sandbox.start().await.unwrap_err();
    assert_eq!(bench.starts("one").len(), 6);
    bench.set("one", &[]);
    sandbox.start().await.unwrap();
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_request_tries_a_failed_sandbox_once_more_after_its_cool_down() {
    let bench = Bench::with(|config| config.runtime.max_restarts = 2);
    let sandbox = bench.sandbox("one", &["die"]);
    let Err(RuntimeError::Failed { retry, .. }) = sandbox.ready().await else {
        panic!("it should have failed");
    };
    assert_eq!(bench.starts("one").len(), 2);
    tokio::time::sleep(retry).await;
    sandbox.ready().await.unwrap_err();
    assert_eq!(bench.starts("one").len(), 3);
    bench.set("one", &[]);
    tokio::time::sleep(retry).await;
    sandbox.ready().await.unwrap();
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_hung_sandbox_is_started_again() {
    let bench = Bench::with(|config| config.runtime.probe_timeout_secs = 1);
    let sandbox = bench.sandbox("one", &[]);
    sandbox.ready().await.unwrap();
    bench.set("one", &["hang"]);
    until_status(&sandbox, Status::Starting).await;
    assert!(sandbox.view().cause.unwrap().contains("probes in a row"));
    assert!(sandbox.enter().is_none());
    bench.set("one", &[]);
    until_status(&sandbox, Status::Running).await;
    assert!(!alive(bench.starts("one")[0]));
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn nothing_of_the_parents_environment_is_inherited() {
    let bench = Bench::new();
    bench.sandbox("one", &[]).ready().await.unwrap();
    let mut names: Vec<_> = bench
        .read("one", "environment")
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    let given = [
        "DATA_DIR",
        "PATH",
        "PORT",
        "SANDBOX_DATA_DIR",
        "SANDBOX_INSTANCE_ROLE",
        "SANDBOX_LISTEN",
        "SANDBOX_NAME",
        "SANDBOX_RELEASE",
    ];
    assert_eq!(names, given);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn the_data_folder_is_its_owners_alone() {
    let bench = Bench::new();
    bench
        .runtime
        .sandbox(spec("private"))
        .ready()
        .await
        .unwrap();
    let mode = bench
        .folder("private")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_name_that_leads_out_of_the_data_folder_is_refused() {
    let bench = Bench::with(|config| config.runtime.max_restarts = 1);
    let sandbox = bench.runtime.sandbox(spec("../../elsewhere"));
    let error = sandbox.ready().await.unwrap_err();
    assert!(
        error.to_string().contains("cannot name a folder"),
        "{error}"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_not_taken_for_the_sandbox() {
    let bench = Bench::with(|config| config.runtime.max_restarts = 1);
    let taken = bench.sandbox("other", &[]);
    let port = claim(&taken).await.address().port();
    let mut wanting = spec("one");
    wanting.declared.address = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into());
    bench.set("one", &[]);
    let error = bench.runtime.sandbox(wanting).ready().await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains(&format!("cannot listen at 127.0.0.1:{port}")),
        "{said}"
    );
    assert!(bench.starts("one").is_empty());
    bench.runtime.shutdown().await;
}
