//! A release that is not well never becomes live: its data and the release before are put back
//! before anybody is let in.

use crate::fixture::{Fixture, SPOIL, well};
use serde_json::json;
use std::time::Duration;
use testkit::wait::eventually;

/// Releases that never are well, each of which has spoilt the data by then.
fn never_well() -> [(&'static str, String, &'static str); 4] {
    [
        (
            "exits",
            format!("{SPOIL} echo no such column >&2; exit 3"),
            "no such column",
        ),
        ("hangs", format!("{SPOIL} exec sleep 1000"), "within"),
        (
            "is somebody else",
            format!("{SPOIL} rm events.db; SANDBOX_NAME=mallory exec \"$0\""),
            "",
        ),
        (
            "is missing",
            format!("{SPOIL} exec /nowhere/to/be/found"),
            "/nowhere/to/be/found",
        ),
    ]
}

#[tokio::test]
async fn live_gets_everything_back_byte_for_byte_and_no_request_fails() {
    let mut fixture = Fixture::start().await;
    for (what, script, cause) in never_well() {
        let release = fixture.add(&script).await;
        fixture.note().await;
        let before = fixture.state().await;
        let promoted = fixture.promote(release, json!({}));
        let (status, said) = fixture.answered_meanwhile(promoted).await;
        assert_eq!(
            (status, &said["error"]),
            (409, &json!("taken_back")),
            "{what}: {said}"
        );
        assert!(
            said["message"].as_str().unwrap().contains(cause),
            "{what}: {said}"
        );
        assert_eq!(fixture.state().await, before, "{what}");
        let newest = fixture.view().await["history"][0].clone();
        assert_eq!(newest["outcome"], "taken_back", "{what}: {newest}");
        assert!(
            newest["detail"].as_str().unwrap().contains(cause),
            "{what}: {newest}"
        );
    }
    let release = fixture.add(&well(2)).await;
    let promoted = fixture.promote(release, json!({}));
    let (status, said) = fixture.answered_meanwhile(promoted).await;
    assert_eq!(status, 200, "{said}");
    assert_eq!(fixture.schema(), "2");
    fixture.state().await;
}

#[tokio::test]
async fn a_rehearsal_finds_it_and_live_is_never_asked() {
    let mut fixture = Fixture::start().await;
    fixture.note().await;
    for (what, script, _) in never_well() {
        let release = fixture.add(&script).await;
        let (before, dev) = (fixture.state().await, fixture.files("dev"));
        let promoted = fixture.promote(release, json!({ "rehearse": true }));
        let (status, said) = fixture.answered_meanwhile(promoted).await;
        assert_eq!(
            (status, &said["error"]),
            (409, &json!("rehearsal_failed")),
            "{what}: {said}"
        );
        assert_eq!(fixture.state().await, before, "{what}");
        assert_eq!(fixture.files("dev"), dev, "{what}");
        let view = fixture.view().await;
        let of_live = view["history"].as_array().unwrap().iter();
        let promotions = of_live.filter(|row| row["kind"] == "promote").count();
        assert_eq!(promotions, 1, "{what}: live was promoted: {view}");
    }
}

/// A release that is well for a second, each time that it is started.
const CRASHES: &str = "\"$0\" & sleep 1; kill -9 $!; exit 5";

#[tokio::test]
async fn a_crash_on_probation_undoes_the_release_and_keeps_what_was_written() {
    let mut fixture = Fixture::start().await;
    let before = fixture.state().await;
    let release = fixture.add(CRASHES).await;
    let (status, said) = fixture
        .promote(release, json!({ "probation_secs": 60 }))
        .await;
    assert_eq!(status, 200, "{said}");
    fixture.note().await;
    until_undone(&fixture).await;
    assert_eq!(fixture.state().await, before);
}

#[tokio::test]
async fn a_crash_on_probation_puts_the_data_back_if_that_was_ordered() {
    let mut fixture = Fixture::start().await;
    let before = fixture.state().await;
    let migrates = well(2).replace("exec \"$0\"", CRASHES);
    let release = fixture.add(&migrates).await;
    let order = json!({ "probation_secs": 60, "restore_data": true });
    let (status, said) = fixture.promote(release, order).await;
    assert_eq!(status, 200, "{said}");
    fixture.note().await;
    until_undone(&fixture).await;
    fixture.notes.pop(); // By order.
    assert_eq!(fixture.state().await, before);
}

async fn until_undone(fixture: &Fixture) {
    let undone = async || {
        let view = fixture.settled().await;
        (view["history"][0]["kind"] == "undo" && view["history"][0]["outcome"] == "done")
            .then_some(())
    };
    eventually("the probation to undo it", undone)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_undo_that_the_old_release_refuses_is_taken_back() {
    let mut fixture = Fixture::start().await;
    let release = fixture.add(&well(2)).await;
    let (status, said) = fixture.promote(release, json!({})).await;
    assert_eq!(status, 200, "{said}");
    fixture.note().await;
    let before = fixture.state().await;
    // It knows schema 1 alone, and the data stay as they are.
    let undone = fixture.act("undo", json!({}));
    let (status, said) = fixture.answered_meanwhile(undone).await;
    assert_eq!(
        (status, &said["error"]),
        (409, &json!("taken_back")),
        "{said}"
    );
    assert_eq!(fixture.state().await, before);
    let (status, said) = fixture.act("undo", json!({ "with_data": true })).await;
    assert_eq!(status, 200, "{said}");
    fixture.notes.pop();
    assert_eq!(fixture.schema(), "1");
    fixture.state().await;
}

#[tokio::test]
async fn a_kill_of_the_sandbox_at_any_time_leaves_live_whole() {
    let mut fixture = Fixture::start().await;
    let mut schema = 1;
    for delay in (0..400).step_by(40) {
        let release = fixture.add(&well(schema + 1)).await;
        fixture.note().await;
        let before = fixture.state().await;
        let pid = live_pid(&fixture);
        let kill = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            // The one before may have ended, and what comes next is killed then.
            let pid = live_pid(&fixture).or(pid);
            pid.and_then(rustix::process::Pid::from_raw)
                .map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL))
        };
        let (promoted, _) = tokio::join!(fixture.promote(release, json!({})), kill);
        // A crashed sandbox is started by the request that needs it, or a little later.
        let runs = async || {
            let response = fixture.person.client.get("/health").await.ok()?;
            let notes = fixture.person.client.get("/logs/events").await.ok()?;
            (response.status == 200 && notes.status == 200).then_some(())
        };
        eventually("live to run", runs).await.unwrap();
        let after = fixture.state().await;
        if promoted.0 == 200 {
            schema += 1;
            assert_eq!(after.release, release, "{delay} ms: {}", promoted.1);
            assert_eq!(fixture.schema(), schema.to_string(), "{delay} ms");
        } else {
            assert_eq!(after, before, "{delay} ms: {}", promoted.1);
        }
    }
}

/// The process of the sandbox program that runs in live's volume.
fn live_pid(fixture: &Fixture) -> Option<i32> {
    let volume = fixture.volume("live").canonicalize().ok()?;
    let processes = std::fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let cwd = std::fs::read_link(entry.path().join("cwd")).ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let guards = line.split(|byte| *byte == 0).nth(1) == Some(b"guard");
        (cwd == volume && !guards).then_some(pid)
    })
}
