//! The gateway is killed at each step of each change, and the next one finds all of it or nothing.

use crate::fixture::{Fixture, SPOIL, State, promotion, well};
use serde_json::{Value, json};

/// The steps of a change, and whether it is done at the next start.
const STEPS: [(&str, bool); 10] = [
    ("change_prepared", false),
    ("change_begun", false),
    ("change_held", false),
    ("change_drained", false),
    ("change_stopped", false),
    ("change_kept", false),
    ("change_switched", false),
    ("change_started", false),
    ("change_committed", true),
    ("change_let_in", true),
];

/// Orders `act` of a gateway that dies at `step`, and starts the next one.
async fn killed_at(fixture: &mut Fixture, step: &str, act: &str, order: Value) -> Value {
    fixture.gateway.set_env("FAIL_POINT", step);
    fixture.gateway.restart().await.unwrap();
    // Live runs when the order comes.
    assert_eq!(fixture.read_notes().await, fixture.notes, "{step}");
    let mut order = order;
    order["user_id"] = fixture.person.user_id.clone().into();
    let cut = fixture.person.act(act, order).await;
    let said = cut.map(|response| response.text());
    assert!(
        said.is_err(),
        "{step}: answered, so it was not killed: {said:?}"
    );
    fixture.gateway.wait_exit().await.unwrap();
    fixture.gateway.remove_env("FAIL_POINT");
    fixture.gateway.restart().await.unwrap();
    // It is held until all is put back, and then answered.
    fixture.read_notes().await;
    fixture.settled().await
}

#[tokio::test]
async fn a_promotion_is_whole_or_not_there() {
    let mut fixture = Fixture::start().await;
    for (index, (step, done)) in STEPS.into_iter().enumerate() {
        let schema = index + 2;
        let release = fixture.add(&well(schema)).await;
        fixture.note().await;
        let before = fixture.state().await;
        let order = promotion(release, json!({}));
        let view = killed_at(&mut fixture, step, "promote", order).await;
        let after = fixture.state().await;
        if done {
            assert_eq!(after.release, release, "{step}: {view}");
            assert_eq!(fixture.schema(), schema.to_string(), "{step}");
        } else {
            assert_eq!(after, before, "{step}: {view}");
            fixture.note().await;
            let (status, said) = fixture.promote(release, json!({})).await;
            assert_eq!(status, 200, "{step}: {said}");
            assert_eq!(fixture.schema(), schema.to_string(), "{step}");
        }
        fixture.note().await;
        fixture.state().await;
    }
}

#[tokio::test]
async fn a_rehearsal_leaves_live_as_it_was_and_dev_whole() {
    let mut fixture = Fixture::start().await;
    for (index, (step, _)) in STEPS.into_iter().enumerate() {
        let schema = index + 2;
        let release = fixture.add(&well(schema)).await;
        fixture.note().await;
        let (before, dev) = (fixture.state().await, fixture.files("dev"));
        let order = promotion(release, json!({ "rehearse": true }));
        let view = killed_at(&mut fixture, step, "promote", order).await;
        assert_eq!(fixture.state().await, before, "{step}: {view}");
        // A copy of live's that is migrated, or what it was.
        let migrated = fixture.files("dev");
        if migrated != dev {
            let notes = migrated.keys().filter(|path| path.starts_with("versions"));
            assert_eq!(notes.count(), index + 3, "{step}: {migrated:?}");
        }
        let order = json!({ "rehearse": true });
        let (status, said) = fixture.promote(release, order).await;
        assert_eq!(status, 200, "{step}: {said}");
        assert_eq!(fixture.schema(), schema.to_string(), "{step}");
    }
}

/// Promotes schema 2 and writes a note to it; what live was before and after.
async fn promoted(fixture: &mut Fixture, release: u64) -> [State; 2] {
    let before = fixture.state().await;
    let (status, said) = fixture.promote(release, json!({})).await;
    assert_eq!(status, 200, "{said}");
    fixture.note().await;
    [before, fixture.state().await]
}

#[tokio::test]
async fn an_undo_with_data_is_whole_or_not_there() {
    let mut fixture = Fixture::start().await;
    let release = fixture.add(&well(2)).await;
    for (step, done) in STEPS {
        let [before, after] = promoted(&mut fixture, release).await;
        let order = json!({ "with_data": true });
        let view = killed_at(&mut fixture, step, "undo", order.clone()).await;
        if !done {
            assert_eq!(fixture.state().await, after, "{step}: {view}");
            let (status, said) = fixture.act("undo", order).await;
            assert_eq!(status, 200, "{step}: {said}");
        }
        fixture.notes.pop(); // It came after the promotion, and went by order.
        assert_eq!(fixture.state().await, before, "{step}: {view}");
    }
}

#[tokio::test]
async fn a_restore_is_whole_or_not_there() {
    let mut fixture = Fixture::start().await;
    for (step, done) in STEPS {
        let path = format!("/admin/sandboxes/{}/live/snapshot", fixture.person.user_id);
        let taken = fixture
            .person
            .client
            .post_json(&path, &json!({}))
            .await
            .unwrap();
        assert_eq!(taken.status, 200, "{}", taken.text());
        let taken: Value = taken.json().unwrap();
        let kept = fixture.state().await;
        fixture.note().await;
        let late = fixture.volume("live").join("late");
        std::fs::write(&late, "after the snapshot").unwrap();
        let before = fixture.state().await;
        let order = json!({ "role": "live", "snapshot": taken["id"] });
        let view = killed_at(&mut fixture, step, "restore", order.clone()).await;
        if !done {
            assert_eq!(fixture.state().await, before, "{step}: {view}");
            let (status, said) = fixture.act("restore", order).await;
            assert_eq!(status, 200, "{step}: {said}");
        }
        fixture.notes.pop();
        assert_eq!(fixture.state().await, kept, "{step}: {view}");
    }
}

#[tokio::test]
async fn a_take_back_that_is_broken_off_is_finished() {
    let mut fixture = Fixture::start().await;
    let release = fixture.add(&format!("{SPOIL} exit 3")).await;
    let before = fixture.state().await;
    let order = promotion(release, json!({}));
    let view = killed_at(&mut fixture, "change_put_back", "promote", order).await;
    assert_eq!(fixture.state().await, before, "{view}");
    let next = fixture.add(&well(2)).await;
    let (status, said) = fixture.promote(next, json!({})).await;
    assert_eq!(status, 200, "{said}");
    fixture.state().await;
}
