//! Two orders at once: one wins, and the other one is refused or comes after it, whole.

use crate::fixture::{Fixture, promotion, well};
use serde_json::{Value, json};
use testkit::wait::eventually;

/// A release that takes its time to start, so that others come in between.
fn slow(schema: usize) -> String {
    format!("sleep 1; {}", well(schema))
}

/// Has a promotion be under way, and orders something else meanwhile; both answers.
async fn meanwhile(
    fixture: &Fixture,
    release: u64,
    act: &str,
    order: Value,
) -> ((u16, Value), (u16, Value)) {
    let under_way = async {
        let begun = async || {
            let newest = fixture.view().await["history"][0].clone();
            (newest["kind"] == "promote" && newest["to_release"] == release).then_some(())
        };
        eventually("the promotion to begin", begun).await.unwrap();
        fixture.act(act, order).await
    };
    tokio::join!(fixture.promote(release, json!({})), under_way)
}

#[tokio::test]
async fn of_two_promotions_one_wins() {
    let fixture = Fixture::start().await;
    let (one, two) = (fixture.add(&well(2)).await, fixture.add(&well(3)).await);
    let generation = fixture.view().await["generation"].clone();
    let order = json!({ "expect_generation": generation });
    let (a, b) = tokio::join!(
        fixture.promote(one, order.clone()),
        fixture.promote(two, order)
    );
    let (won, lost, release) = if a.0 == 200 { (a, b, one) } else { (b, a, two) };
    assert_eq!((won.0, lost.0), (200, 409), "{} {}", won.1, lost.1);
    let error = lost.1["error"].as_str().unwrap();
    assert!(
        ["change_in_progress", "stale_generation"].contains(&error),
        "{}",
        lost.1
    );
    assert_eq!(fixture.state().await.release, release);
}

#[tokio::test]
async fn another_change_is_refused_while_one_is_at_work() {
    let mut fixture = Fixture::start().await;
    let path = format!("/admin/sandboxes/{}/live/snapshot", fixture.person.user_id);
    let taken = fixture
        .person
        .client
        .post_json(&path, &json!({}))
        .await
        .unwrap();
    let snapshot = taken.json::<Value>().unwrap()["id"].clone();
    let others = [
        ("promote", promotion(1, json!({}))),
        ("fork", json!({})),
        ("undo", json!({})),
        ("undo", json!({ "with_data": true })),
        ("restore", json!({ "role": "live", "snapshot": snapshot })),
        ("swap", json!({})),
    ];
    for (index, (act, order)) in others.into_iter().enumerate() {
        let release = fixture.add(&slow(index + 2)).await;
        fixture.note().await;
        let (promoted, other) = meanwhile(&fixture, release, act, order).await;
        assert_eq!(promoted.0, 200, "{act}: {}", promoted.1);
        assert_eq!(other.0, 409, "{act}: {}", other.1);
        let error = other.1["error"].as_str().unwrap();
        assert!(
            ["change_in_progress", "swap_in_progress"].contains(&error),
            "{act}: {}",
            other.1
        );
        assert_eq!(fixture.state().await.release, release, "{act}");
        assert_eq!(fixture.schema(), (index + 2).to_string(), "{act}");
    }
}

#[tokio::test]
async fn a_stop_in_its_midst_leaves_live_whole() {
    let mut fixture = Fixture::start().await;
    fixture.note().await;
    let before = fixture.view().await["live_release"].as_u64().unwrap();
    let release = fixture.add(&slow(2)).await;
    let path = |verb: &str| format!("/admin/sandboxes/{}/live/{verb}", fixture.person.user_id);
    let client = &fixture.person.client;
    let stop = async {
        let begun = async || {
            let newest = fixture.view().await["history"][0].clone();
            (newest["to_release"] == release).then_some(())
        };
        eventually("the promotion to begin", begun).await.unwrap();
        client.post_json(&path("stop"), &json!({})).await.unwrap()
    };
    let (promoted, stopped) = tokio::join!(fixture.promote(release, json!({})), stop);
    let held = stopped.status == 200;
    assert!(held || stopped.status == 409, "{}", stopped.text());
    fixture.settled().await;
    if held {
        // Whoever stopped it has the last word, whatever became of the promotion.
        let rows = client.get("/admin/sandboxes").await.unwrap();
        let rows: Vec<Value> = rows.json().unwrap();
        let live = rows.iter().find(|row| row["role"] == "live").unwrap();
        assert_eq!(live["status"], "stopped", "{live} {}", promoted.1);
        let started = client.post_json(&path("start"), &json!({})).await.unwrap();
        assert_eq!(started.status, 200, "{}", started.text());
    }
    let state = fixture.state().await;
    let (due, schema) = if promoted.0 == 200 {
        (release, "2")
    } else {
        (before, "1")
    };
    assert_eq!(state.release, due, "{}", promoted.1);
    assert_eq!(fixture.schema(), schema, "{}", promoted.1);
}
