//! The units of sandboxes: started, stopped, and followed.

use super::host::{Host, set};
use super::{becomes, started};
use crate::runtime::Status;
use std::sync::atomic::Ordering;
use std::time::Duration;
use testkit::wait::eventually;

#[tokio::test]
async fn a_request_starts_the_unit_and_a_stop_stops_it() {
    let (host, sandbox) = started().await;
    assert_eq!(sandbox.view().status, Status::Running);
    assert_eq!(host.calls(), ["start"]);
    sandbox.stop().await.unwrap();
    assert_eq!(sandbox.view().status, Status::Stopped);
    assert_eq!(host.calls(), ["start", "stop"]);
}

#[tokio::test]
async fn a_crash_is_heard_of_and_the_unit_started_again() {
    let (host, sandbox) = started().await;
    // A manager of containers says that it stops before it says that it failed.
    set(&host.systemd, "deactivating", "success").await;
    set(&host.systemd, "failed", "exit-code").await;
    let again = async || (host.calls().len() == 2).then_some(());
    eventually("another start", again).await.unwrap();
    becomes(&sandbox, Status::Running).await;
    assert_eq!(host.calls(), ["start", "start"]);
    // The second in a row is as many as there may be.
    set(&host.systemd, "failed", "signal").await;
    becomes(&sandbox, Status::Failed).await;
    let cause = sandbox.view().cause.unwrap();
    assert!(
        cause.contains("failed (signal); see `journalctl"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_unit_that_runs_already_is_taken_over_and_outlives_the_hypervisor() {
    let host = Host::new("active").await;
    let sandbox = host.sandbox();
    becomes(&sandbox, Status::Running).await;
    host.runtime.shutdown().await;
    assert!(host.calls().is_empty(), "nothing was to be done");
}

#[tokio::test]
async fn a_unit_that_systemd_starts_again_is_waited_for() {
    let (host, sandbox) = started().await;
    set(&host.systemd, "activating", "exit-code").await;
    becomes(&sandbox, Status::Starting).await;
    set(&host.systemd, "active", "success").await;
    becomes(&sandbox, Status::Running).await;
    assert_eq!(host.calls(), ["start"]);
}

#[tokio::test]
async fn a_unit_that_someone_else_stops_and_starts_is_followed() {
    let (host, sandbox) = started().await;
    set(&host.systemd, "deactivating", "success").await;
    becomes(&sandbox, Status::Draining).await;
    assert!(sandbox.enter().is_none(), "no request is sent to its end");
    set(&host.systemd, "inactive", "success").await;
    becomes(&sandbox, Status::Stopped).await;
    assert_eq!(host.calls(), ["start"], "it was no crash");
    set(&host.systemd, "active", "success").await;
    becomes(&sandbox, Status::Running).await;
}

#[tokio::test]
async fn a_refusal_by_polkit_names_its_mend() {
    let host = Host::new("inactive").await;
    host.denies.store(true, Ordering::Relaxed);
    let error = host.sandbox().ready().await.unwrap_err().to_string();
    assert!(error.contains("does not let this user start"), "{error}");
    assert!(error.contains("by a polkit rule"), "{error}");
}

#[tokio::test]
async fn a_sandbox_is_stopped_when_idle_only_in_a_role_that_rests() {
    let (host, sandbox) = started().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(sandbox.view().status, Status::Running);
    sandbox.set_idle_stop(true);
    becomes(&sandbox, Status::Stopped).await;
    assert_eq!(host.calls(), ["start", "stop"]);
}
