//! What each start runs: the release that the sandbox is pinned to, and no other.

use super::becomes;
use super::host::{Host, pin, set};
use crate::runtime::{RuntimeError, Status, StoppedBy};
use crate::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::sync::atomic::Ordering;
use testkit::wait::eventually;

/// A host with three releases, the sandbox pinned to the first, and a unit that pins.
async fn host(active: &'static str) -> Host {
    let host = Host::with_orders(active).await;
    host.deploy(3, 1);
    let releases = host.releases();
    host.on_order(move |unit| {
        let number = unit
            .strip_prefix("choiros-release-sandbox-live@")
            .and_then(|rest| rest.strip_suffix(".service")?.parse().ok());
        pin(&releases, number.ok_or(ErrorKind::InvalidInput)?)
    });
    host
}

const PIN_2: &str = "start choiros-release-sandbox-live@2.service";
const PIN_3: &str = "start choiros-release-sandbox-live@3.service";

#[tokio::test]
async fn the_hosts_releases_are_told_with_their_closures() {
    let host = host("inactive").await;
    for (name, target) in [
        ("release-10-link", "/nix/store/ten"),
        ("release-0-link", "/nix/store/zero"),
        ("release-011-link", "/nix/store/eleven"),
        ("release", "release-10-link"),
    ] {
        symlink(target, host.releases().join(name)).unwrap();
    }
    let all = host.runtime.releases("sandbox").await.unwrap();
    let told: Vec<_> = all.iter().map(|it| (it.number, &*it.what)).collect();
    assert_eq!(
        told,
        [
            (1, "/nix/store/1-system"),
            (2, "/nix/store/2-system"),
            (3, "/nix/store/3-system"),
            (10, "/nix/store/ten")
        ]
    );
    assert!(all[0].added_at.is_some());
    assert_eq!(host.runtime.declared_release("sandbox").await.unwrap(), 10);
    let sandbox = host.sandbox();
    let pinned = host.runtime.pinned_release(&sandbox).await.unwrap();
    assert_eq!(pinned, Some(1));
    let none = host.runtime.declared_release("another").await.unwrap_err();
    assert!(none.to_string().contains("deploy one"), "{none}");
    assert!(host.runtime.releases("another").await.unwrap().is_empty());
    let added = host
        .runtime
        .add_release("sandbox", vec![], BTreeMap::new(), "ada");
    let error = added.await.unwrap_err();
    assert!(matches!(error, RuntimeError::Unsupported(_)), "{error:?}");
    assert!(error.to_string().contains("`systemd`"), "{error}");
}

#[tokio::test]
async fn a_start_changes_the_pin_first_and_only_if_it_differs() {
    let host = host("inactive").await;
    let sandbox = host.sandbox();
    sandbox.set_release(1);
    sandbox.ready().await.unwrap();
    assert_eq!(host.calls(), ["start"]);
    // What runs goes on as it is, and so does its pin.
    sandbox.set_release(2);
    assert_eq!(
        host.runtime.pinned_release(&sandbox).await.unwrap(),
        Some(1)
    );
    sandbox.stop().await.unwrap();
    sandbox.ready().await.unwrap();
    assert_eq!(host.calls(), ["start", "stop", PIN_2, "start"]);
    assert_eq!(
        host.runtime.pinned_release(&sandbox).await.unwrap(),
        Some(2)
    );
    // After a crash the next start is what was set last, too.
    sandbox.set_release(3);
    set(&host.systemd, "failed", "exit-code").await;
    let again = async || (host.calls().len() == 6).then_some(());
    eventually("another start", again).await.unwrap();
    becomes(&sandbox, Status::Running).await;
    assert_eq!(host.calls()[4..], [PIN_3, "start"]);
}

#[tokio::test]
async fn without_a_release_that_was_set_the_pin_stays() {
    let host = host("inactive").await;
    let sandbox = host.sandbox();
    assert_eq!(sandbox.release(), 0);
    sandbox.ready().await.unwrap();
    assert_eq!(host.calls(), ["start"]);
}

#[tokio::test]
async fn no_unit_is_started_whose_pin_could_not_be_changed() {
    let host = host("inactive").await;
    let sandbox = host.sandbox();
    sandbox.set_release(2);
    host.on_order(|_| Err(io::Error::other("no")));
    let error = sandbox.start().await.unwrap_err().to_string();
    let journal = "`journalctl -u choiros-release-sandbox-live@2.service`";
    assert!(error.contains(journal), "{error}");
    // One that says it did, and did not.
    host.on_order(|_| Ok(()));
    let error = sandbox.start().await.unwrap_err().to_string();
    assert!(error.contains("did not change"), "{error}");
    assert!(error.contains(journal), "{error}");
    // Nothing is asked of the host for a release that is not there.
    let before = host.calls().len();
    sandbox.set_release(7);
    let error = sandbox.start().await.unwrap_err().to_string();
    assert!(error.contains("no release 7"), "{error}");
    assert_eq!(host.calls().len(), before);
    // Nor if the pin leads elsewhere, which is not ours to mend.
    fs::remove_file(host.releases().join("sandbox-live")).unwrap();
    symlink("/nix/store/other", host.releases().join("sandbox-live")).unwrap();
    let error = sandbox.start().await.unwrap_err().to_string();
    assert!(error.contains("leads to /nix/store/other"), "{error}");
    assert!(!host.calls().contains(&"start".to_owned()), "{error}");
}

#[tokio::test]
async fn a_pin_that_polkit_refuses_names_its_mend() {
    let host = host("inactive").await;
    let sandbox = host.sandbox();
    sandbox.set_release(2);
    host.denies.store(true, Ordering::Relaxed);
    let error = sandbox.start().await.unwrap_err().to_string();
    assert!(
        error.contains("start choiros-release-sandbox-live@2.service"),
        "{error}"
    );
    assert!(error.contains("by a polkit rule"), "{error}");
}

#[tokio::test]
async fn what_someone_starts_while_the_pin_changes_is_stopped_first() {
    let host = host("inactive").await;
    let sandbox = host.sandbox();
    sandbox.set_release(2);
    *host.meanwhile.lock().unwrap() = Some("active");
    sandbox.start().await.unwrap();
    becomes(&sandbox, Status::Running).await;
    assert_eq!(host.calls(), [PIN_2, "stop", "start"]);
}

#[tokio::test]
async fn an_order_that_comes_late_does_not_have_the_last_word() {
    let host = host("inactive").await;
    let sandbox = host.sandbox();
    sandbox.set_release(1);
    *host.late.lock().unwrap() = Some("choiros-release-sandbox-live@2.service");
    sandbox.start().await.unwrap();
    let pinned = host.runtime.pinned_release(&sandbox).await.unwrap();
    assert_eq!((pinned, host.late.lock().unwrap().take()), (Some(1), None));
    assert_eq!(
        host.calls(),
        ["start choiros-release-sandbox-live@1.service", "start"]
    );
    // What is another sandbox's is not waited for.
    sandbox.stop().await.unwrap();
    *host.late.lock().unwrap() = Some("choiros-release-sandbox-dev@2.service");
    sandbox.start().await.unwrap();
}

#[tokio::test]
async fn one_that_runs_at_the_start_is_taken_over_and_its_pin_is_told() {
    let host = host("active").await;
    let sandbox = host.sandbox();
    sandbox.set_release(2);
    becomes(&sandbox, Status::Running).await;
    assert!(host.calls().is_empty());
    let pinned = host.runtime.pinned_release(&sandbox).await.unwrap();
    assert_eq!((pinned, sandbox.release()), (Some(1), 2));
}

#[tokio::test]
async fn one_that_was_not_seen_yet_is_stopped_all_the_same() {
    let host = host("active").await;
    let sandbox = host.sandbox();
    // Its supervisor has not been asked for anything, nor looked at systemd.
    sandbox.stop().await.unwrap();
    assert_eq!(host.calls(), ["stop"]);
    assert_eq!(sandbox.view().status, Status::Stopped);
}

#[tokio::test]
async fn whoever_starts_the_unit_ends_a_stop_by_a_person() {
    let host = host("inactive").await;
    let sandbox = host.sandbox();
    sandbox.set_stopped_by(Some(StoppedBy {
        by: "ada".into(),
        at: Timestamp::from_millis(0),
    }));
    let error = sandbox.ready().await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::StoppedByHand { .. }),
        "{error:?}"
    );
    assert!(host.calls().is_empty());
    set(&host.systemd, "active", "success").await;
    becomes(&sandbox, Status::Running).await;
    assert_eq!(sandbox.stopped_by(), None);
    sandbox.ready().await.unwrap();
}

#[tokio::test]
async fn a_host_without_pins_has_no_releases() {
    let host = Host::new("inactive").await;
    let sandbox = host.sandbox();
    let runtime = &host.runtime;
    assert_eq!(runtime.declared_release("sandbox").await.unwrap(), 0);
    assert_eq!(runtime.pinned_release(&sandbox).await.unwrap(), None);
    let error = runtime.releases("sandbox").await.unwrap_err();
    assert!(
        error.to_string().contains("runtime.releases_dir"),
        "{error}"
    );
    sandbox.ready().await.unwrap();
    sandbox.stop().await.unwrap();
    sandbox.set_release(1);
    let error = sandbox.start().await.unwrap_err().to_string();
    assert!(error.contains("runtime.releases_dir"), "{error}");
}
