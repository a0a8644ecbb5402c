//! What each order does to releases and data, and what it refuses.

use crate::workspace::{Workspace, sandbox_program};
use serde_json::json;

#[tokio::test]
async fn a_promotion_leaves_lives_data_with_live() {
    let house = Workspace::with_two_releases().await;
    for text in ["one", "two", "three"] {
        house.note("/", text).await;
    }
    house.note("/dev/", "of dev").await;
    let (status, done) = house.act("promote", json!({})).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(
        (&done["from_release"], &done["release"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(house.releases().await, (2, 2));
    assert_eq!(house.notes("/").await, ["one", "two", "three"]);
    // It was rehearsed on a copy of them, and what dev had is kept.
    assert_eq!(house.notes("/dev/").await, ["one", "two", "three"]);
    let view = house.view().await;
    assert_eq!(view["snapshots"]["dev"][0]["reason"], "aside");
    assert_eq!(view["history"][0]["kind"], "promote");
    assert_eq!(view["history"][0]["by"], "ada");
    assert_eq!(view["history"][0]["outcome"], "done");
    // The roles' sandboxes are what they were.
    assert_eq!(house.row("live").await["sandbox"], "sandbox-live");
}

#[tokio::test]
async fn an_undo_takes_the_release_back_and_the_data_only_if_asked() {
    let house = Workspace::with_two_releases().await;
    house.note("/", "before").await;
    house.ok(&["promote", "--no-rehearsal"]).await;
    house.note("/", "after").await;
    let undone = house.ok(&["undo"]).await;
    assert_eq!(
        (&undone["release"], &undone["kind"]),
        (&json!(1), &json!("undo"))
    );
    assert_eq!(house.notes("/").await, ["before", "after"]);
    assert!(house.refused(&["undo"]).await.contains("was undone"));

    house.ok(&["promote", "--no-rehearsal"]).await;
    house.note("/", "lost").await;
    house.note("/", "lost, too").await;
    let undone = house.ok(&["undo", "--with-data"]).await;
    assert_eq!(undone["lost_writes"], 2);
    assert_eq!(house.notes("/").await, ["before", "after"]);
    // And even that is kept.
    let kept = undone["snapshot"].as_str().unwrap().to_owned();
    house.ok(&["restore", "sandbox", "live", &kept]).await;
    assert_eq!(
        house.notes("/").await,
        ["before", "after", "lost", "lost, too"]
    );
    assert_eq!(house.releases().await.0, 1);
}

#[tokio::test]
async fn a_fork_gives_dev_lives_data_and_leaves_its_release() {
    let house = Workspace::with_two_releases().await;
    house.note("/", "of live").await;
    house.note("/dev/", "of dev").await;
    let (status, forked) = house.act("fork", json!({})).await;
    assert_eq!(status, 200, "{forked}");
    assert_eq!(house.notes("/dev/").await, ["of live"]);
    house.note("/dev/", "of dev again").await;
    assert_eq!(house.notes("/").await, ["of live"]);
    assert_eq!(house.releases().await, (1, 2));
    let kept = forked["snapshot"].as_str().unwrap();
    let order = json!({ "role": "dev", "snapshot": kept });
    let (status, restored) = house.act("restore", order).await;
    assert_eq!(status, 200, "{restored}");
    assert_eq!(house.notes("/dev/").await, ["of dev"]);
}

#[tokio::test]
async fn a_restore_is_rehearsed_in_dev_if_asked() {
    let house = Workspace::start().await;
    house.note("/", "kept").await;
    let snapshot = house.ok(&["snapshot"]).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    house.note("/", "later").await;
    house
        .ok(&["restore", "sandbox", "live", &snapshot, "--rehearse"])
        .await;
    assert_eq!(house.notes("/").await, ["kept"]);
    assert_eq!(house.notes("/dev/").await, ["kept"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let house = Workspace::start().await;
    let (status, said) = house.act("promote", json!({})).await;
    assert_eq!((status, &said["error"]), (409, &json!("same_release")));
    let (status, said) = house.act("promote", json!({ "release": 9 })).await;
    assert_eq!((status, &said["error"]), (409, &json!("no_release")));
    let (status, said) = house.act("undo", json!({})).await;
    assert_eq!((status, &said["error"]), (409, &json!("nothing_to_undo")));
    let order = json!({ "role": "live", "snapshot": "20260101T000000Z-0001" });
    let (status, said) = house.act("restore", order).await;
    assert_eq!((status, &said["error"]), (409, &json!("no_snapshot")));
    let (status, said) = house.act("fork", json!({ "expect_generation": 7 })).await;
    assert_eq!((status, &said["error"]), (409, &json!("stale_generation")));
    for order in [json!({ "relase": 2 }), json!({ "release": "../2" })] {
        let (status, said) = house.act("promote", order).await;
        assert_eq!(status, 400, "{said}");
    }
    assert_eq!(house.row("live").await["generation"], 1);
}

#[tokio::test]
async fn a_release_that_does_not_run_is_found_out_in_the_rehearsal() {
    let house = Workspace::start().await;
    house.note("/", "of live").await;
    house.note("/dev/", "of dev").await;
    let added = ["release", "add", "sandbox", "--", "/bin/false"];
    assert!(house.refused(&added).await.contains("exited with status 1"));
    // It is there, but nobody has it.
    assert_eq!(house.releases().await, (1, 1));
    let (status, said) = house.act("promote", json!({ "release": 2 })).await;
    assert_eq!(
        (status, &said["error"]),
        (409, &json!("rehearsal_failed")),
        "{said}"
    );
    assert_eq!(house.releases().await, (1, 1));
    assert_eq!(house.notes("/").await, ["of live"]);
    assert_eq!(house.notes("/dev/").await, ["of dev"]);
}

#[tokio::test]
async fn a_release_that_does_not_run_is_taken_back_from_live_with_the_cause() {
    let house = Workspace::start().await;
    house.note("/", "of live").await;
    // Dev is at rest, and is not tried.
    house
        .ok(&["release", "add", "sandbox", "--", "/bin/false"])
        .await;
    let order = json!({ "release": 2, "rehearse": false });
    let (status, said) = house.act("promote", order).await;
    assert_eq!(
        (status, &said["error"]),
        (409, &json!("taken_back")),
        "{said}"
    );
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("exited with status 1"), "{message}");
    assert_eq!(house.releases().await, (1, 2));
    assert_eq!(house.notes("/").await, ["of live"]);
    let view = house.view().await;
    assert_eq!(view["history"][0]["outcome"], "taken_back");
    assert_eq!(view["generation"], 2);
}

#[tokio::test]
async fn a_sandbox_that_somebody_stopped_stays_so_until_somebody_starts_it() {
    let mut house = Workspace::with_two_releases().await;
    house.note("/", "kept").await;
    let stop = format!("/admin/sandboxes/{}/live/stop", house.person.user_id);
    let stopped = house
        .person
        .client
        .post_json(&stop, &json!({}))
        .await
        .unwrap();
    assert_eq!(stopped.status, 200);
    for _ in 0..2 {
        let response = house.person.client.get("/").await.unwrap();
        assert_eq!(response.status, 503);
        assert!(
            response.text().contains("stopped by ada"),
            "{}",
            response.text()
        );
        assert_eq!(house.row("live").await["stopped_by"], "ada");
        let (status, said) = house.act("promote", json!({})).await;
        assert_eq!((status, &said["error"]), (409, &json!("stopped_by_hand")));
        // Also after a restart of the gateway.
        house.gateway.restart().await.unwrap();
    }
    house.ok(&["sandboxes", "start", "sandbox", "live"]).await;
    assert_eq!(house.notes("/").await, ["kept"]);
    assert_eq!(house.row("live").await["stopped_by"], json!(null));
}

#[tokio::test]
async fn what_live_was_written_since_is_told_before_a_swap() {
    let mut house = Workspace::start().await;
    assert_eq!(house.row("live").await["writes"], 0);
    house.note("/", "one").await;
    house.notes("/").await;
    house.note("/dev/", "of dev").await;
    assert_eq!(house.row("live").await["writes"], 1);
    house.gateway.restart().await.unwrap();
    assert_eq!(house.row("live").await["writes"], 1);
    house.ok(&["fork"]).await;
    assert_eq!(house.row("live").await["writes"], 0);
    house.note("/", "two").await;
    house.ok(&["swap"]).await;
    assert_eq!(house.row("live").await["writes"], 0);
}

#[tokio::test]
async fn live_that_falls_ill_on_probation_has_its_release_back_and_keeps_its_data() {
    let house = Workspace::start().await;
    house.note("/", "before").await;
    let script = r#"( sleep 4; kill $$ ) & exec "$0""#;
    let sandbox = sandbox_program();
    // Dev is at rest, and is not tried here.
    let added = [
        "release", "add", "sandbox", "--", "/bin/sh", "-c", script, &sandbox,
    ];
    house.ok(&added).await;
    let promote = ["promote", "--no-rehearsal", "--probation", "30"];
    let promoted = tokio::spawn({
        let command = house.gateway.command(&promote);
        async move {
            tokio::process::Command::from(command)
                .output()
                .await
                .unwrap()
        }
    });
    let after = async || (house.releases().await.0 == 2).then_some(());
    testkit::wait::eventually("the promotion", after)
        .await
        .unwrap();
    house.note("/", "after").await;
    let output = promoted.await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("live has release 1 again"), "{said}");
    assert_eq!(house.releases().await.0, 1);
    assert_eq!(house.notes("/").await, ["before", "after"]);
}

#[tokio::test]
async fn a_release_that_spoils_devs_data_is_taken_back_with_them() {
    let house = Workspace::start().await;
    house.note("/dev/", "of dev").await;
    let spoils = "echo spoilt > $DATA_DIR/events.db; exit 3";
    let added = ["release", "add", "sandbox", "--", "/bin/sh", "-c", spoils];
    assert!(house.refused(&added).await.contains("exited with status 3"));
    assert_eq!(house.releases().await, (1, 1));
    assert_eq!(house.notes("/dev/").await, ["of dev"]);
}

#[tokio::test]
async fn what_is_done_to_dev_meanwhile_leaves_lives_probation_alone() {
    let house = Workspace::with_two_releases().await;
    let promoted = tokio::spawn({
        let promote = ["promote", "--no-rehearsal", "--probation", "5"];
        let command = house.gateway.command(&promote);
        async move {
            let mut command = tokio::process::Command::from(command);
            command.output().await.unwrap()
        }
    });
    let after = async || (house.releases().await.0 == 2).then_some(());
    testkit::wait::eventually("the promotion", after)
        .await
        .unwrap();
    house.add_release("3").await;
    house.ok(&["fork"]).await;
    assert!(house.row("live").await["probation_secs"].is_u64());
    let output = promoted.await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(house.releases().await, (2, 3));
}
