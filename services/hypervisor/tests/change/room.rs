//! A disk that is full: refused with the room that is needed, or taken back; live goes on.

use crate::fixture::{Fixture, well};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A file system of 32 MiB, gone with this.
struct Disk(TempDir);

impl Disk {
    /// None where nobody may mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs"];
        let mounted = Command::new("mount")
            .args(mount)
            .arg(folder.path())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
    }
}

/// One whose live sandbox has 20 MiB of the 32.
#[expect(clippy::print_stderr, reason = "a test that does not run says so")]
async fn nearly_full() -> Option<(Fixture, Disk)> {
    let Some(disk) = Disk::mount() else {
        eprintln!("skipped: this test mounts a tmpfs, which takes root");
        return None;
    };
    let fixture = Fixture::start_in(Some(disk.path())).await;
    let large = fixture.volume("live").join("large");
    // What no file system can leave out.
    let bytes: Vec<u8> = (0..20 << 20).map(|at: u32| (at % 251) as u8 | 1).collect();
    std::fs::write(large, bytes).unwrap();
    Some((fixture, disk))
}

fn names_the_room(said: &Value) -> bool {
    let message = said["message"].as_str().unwrap_or_default();
    message.contains("MiB") || message.contains("MB") || message.contains("bytes")
}

#[tokio::test]
async fn what_has_no_room_is_refused_and_live_is_not_touched() {
    let Some((mut fixture, _disk)) = nearly_full().await else {
        return;
    };
    let release = fixture.add(&well(2)).await;
    let before = fixture.state().await;
    let client = fixture.person.client.clone();
    let path = format!("/admin/sandboxes/{}/live/snapshot", fixture.person.user_id);
    let snapshot = async {
        let taken = client.post_json(&path, &json!({})).await.unwrap();
        (taken.status.as_u16(), taken.json::<Value>().unwrap())
    };
    let (status, said) = fixture.answered_meanwhile(snapshot).await;
    assert_eq!((status, &said["error"]), (507, &json!("no_room")), "{said}");
    assert!(names_the_room(&said), "{said}");
    for (what, order) in [
        ("fork", json!({})),
        ("promote", json!({ "release": release, "rehearse": true })),
        ("promote", json!({ "release": release, "rehearse": false })),
    ] {
        let (status, said) = fixture.answered_meanwhile(fixture.act(what, order)).await;
        assert_eq!(
            (status, &said["error"]),
            (507, &json!("no_room")),
            "{what}: {said}"
        );
        assert!(names_the_room(&said), "{what}: {said}");
        assert_eq!(fixture.state().await, before, "{what}");
    }
    fixture.note().await;
    // Nothing half is left behind that would take the room.
    std::fs::remove_file(fixture.volume("live").join("large")).unwrap();
    let (status, said) = fixture.promote(release, json!({ "rehearse": true })).await;
    assert_eq!(status, 200, "{said}");
    assert_eq!(fixture.schema(), "2");
    fixture.state().await;
}

#[tokio::test]
async fn a_release_that_fills_the_disk_is_taken_back() {
    let Some((mut fixture, _disk)) = nearly_full().await else {
        return;
    };
    std::fs::remove_file(fixture.volume("live").join("large")).unwrap();
    let fills = format!(
        "cat /dev/zero > fill; {}",
        well(2).replace("exec", "exit 6; exec")
    );
    let release = fixture.add(&fills).await;
    fixture.note().await;
    let before = fixture.state().await;
    let promoted = fixture.promote(release, json!({}));
    let (status, said) = fixture.answered_meanwhile(promoted).await;
    assert_eq!(
        (status, &said["error"]),
        (409, &json!("taken_back")),
        "{said}"
    );
    assert_eq!(fixture.state().await, before);
    fixture.note().await;
}
