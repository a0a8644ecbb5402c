//! Sandboxes of slots: made ready once, and asked for by the host's names.

use super::host::Host;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;

#[tokio::test]
async fn a_slot_is_made_ready_once_before_anything_of_it_is_used() {
    let host = Host::with_orders("inactive").await;
    let releases = host.releases().with_file_name("slots");
    fs::create_dir_all(&releases).unwrap();
    for number in [4, 5] {
        let link = releases.join(format!("release-{number}-link"));
        symlink(format!("/nix/store/{number}-system"), link).unwrap();
    }
    let results = host.results().with_file_name("s17-live");
    let pin = releases.join("s17-live");
    host.on_order(move |unit| match unit {
        "choiros-slot@17.service" => fs::create_dir_all(&results),
        "choiros-slot-release@s17-live:5.service" => symlink("release-5-link", &pin),
        "choiros-slot-volume-17@s17-live:list.service" => {
            fs::write(results.join("list.json"), r#"{"ok": []}"#)
        }
        _ => Err(ErrorKind::InvalidInput.into()),
    });
    assert_eq!(host.runtime.declared_release("slots").await.unwrap(), 5);
    let sandbox = host.sandbox_called("s17-live", "ada", Some(17));
    sandbox.set_release(5);
    sandbox.ready().await.unwrap();
    assert!(sandbox.snapshots().await.unwrap().is_empty());
    assert_eq!(
        host.calls(),
        [
            "start choiros-slot@17.service",
            "start choiros-slot-release@s17-live:5.service",
            "start container@s17-live.service",
            "start choiros-slot-volume-17@s17-live:list.service",
        ]
    );
    let pinned = host.runtime.pinned_release(&sandbox).await.unwrap();
    assert_eq!(pinned, Some(5));
}

#[tokio::test]
async fn a_slot_that_cannot_be_made_ready_starts_nothing_and_is_tried_again() {
    let host = Host::with_orders("inactive").await;
    host.on_order(|_| Err(ErrorKind::StorageFull.into()));
    let sandbox = host.sandbox_called("s1-live", "ada", Some(1));
    let refused = sandbox.ready().await.unwrap_err().to_string();
    assert!(refused.contains("choiros-slot@1.service"), "{refused}");
    let calls = host.calls();
    assert!(
        calls
            .iter()
            .all(|call| call == "start choiros-slot@1.service"),
        "{calls:?}"
    );
}
