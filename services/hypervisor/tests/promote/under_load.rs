//! Whoever comes during a promotion waits, and is answered by the new release.

use crate::workspace::Workspace;
use futures_util::StreamExt as _;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use testkit::wait::eventually;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_and_every_acknowledged_write_is_there_in_order() {
    const CLIENTS: usize = 8;
    let house = Arc::new(Workspace::with_two_releases().await);
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let (house, over) = (house.clone(), over.clone());
        clients.push(tokio::spawn(async move {
            let mut written = 0;
            while !over.load(Ordering::SeqCst) {
                house.note("/", &format!("{client} {written}")).await;
                written += 1;
            }
            written
        }));
    }
    for release in 3..8 {
        house.add_release(&release.to_string()).await;
        let done = house.ok(&["promote"]).await;
        assert_eq!(done["release"], release);
    }
    over.store(true, Ordering::SeqCst);
    let mut written = Vec::new();
    for client in clients {
        written.push(client.await.unwrap());
    }
    let notes = house.notes("/").await;
    for (client, count) in written.iter().enumerate() {
        let of_client = notes.iter().filter_map(|note| {
            let (of, number) = note.split_once(' ')?;
            (of == client.to_string()).then(|| number.parse::<i32>().unwrap())
        });
        let of_client: Vec<_> = of_client.collect();
        assert_eq!(
            of_client,
            (0..*count).collect::<Vec<_>>(),
            "of client {client}"
        );
    }
    assert!(written.iter().all(|count| *count > 5), "{written:?}");
}

#[tokio::test]
async fn an_open_socket_is_closed_with_1012_and_a_new_one_waits_for_the_new_release() {
    let house = Workspace::with_two_releases().await;
    let mut socket = house
        .person
        .client
        .websocket("/ws/logs/events")
        .await
        .unwrap();
    let done = house.ok(&["promote", "--no-rehearsal"]).await;
    assert_eq!(done["release"], 2);
    let close = loop {
        if let Message::Close(frame) = socket.next().await.unwrap().unwrap() {
            break frame.unwrap();
        }
    };
    assert_eq!(close.code, CloseCode::Restart);
    house
        .person
        .client
        .websocket("/ws/logs/events")
        .await
        .unwrap();
}

#[tokio::test]
async fn requests_that_are_held_are_counted_in_the_metrics() {
    let house = Workspace::with_two_releases().await;
    house.note("/", "one").await;
    let is_over = AtomicBool::new(false);
    let promotion = async {
        let promoted = house.act("promote", json!({ "rehearse": false })).await;
        is_over.store(true, Ordering::SeqCst);
        promoted
    };
    let visits = async {
        // However long it takes until requests are held.
        while !is_over.load(Ordering::SeqCst) {
            house.note("/", "a visit").await;
        }
    };
    let (promoted, ()) = tokio::join!(promotion, visits);
    assert_eq!(promoted.0, 200, "{}", promoted.1);
    let metrics = house.gateway.client().get("/metrics").await.unwrap().text();
    for line in [
        "choiros_held_requests 0",
        "choiros_promotions_total{outcome=\"done\"} 1",
        "choiros_hold_seconds_bucket{le=\"+Inf\"}",
        "# TYPE choiros_hold_seconds histogram",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(
        !metrics.contains("choiros_hold_seconds_count 0\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn two_changes_at_once_are_one() {
    let house = Workspace::with_two_releases().await;
    house.note("/", "one").await;
    let (first, second) = tokio::join!(
        house.act("promote", json!({})),
        house.act("promote", json!({}))
    );
    let mut statuses = [first.0, second.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", first.1, second.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_to_live_at_rest_in_the_moment_of_a_promotion_fails_not() {
    let builder = crate::common::builder().env("HYPERVISOR_RUNTIME_IDLE_SECS", "1");
    let house = Arc::new(Workspace::of(builder).await);
    for release in 2..5 {
        house.add_release(&release.to_string()).await;
        let rests = async || (house.row("live").await["status"] == "stopped").then_some(());
        eventually("live to rest", rests).await.unwrap();
        let visitors = (0..8).map(|visitor| {
            let house = house.clone();
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(visitor * 5)).await;
                house.note("/", "here").await;
            }
        });
        let (done, _) = tokio::join!(
            house.act("promote", json!({ "rehearse": false })),
            futures_util::future::join_all(visitors)
        );
        assert_eq!(done.0, 200, "{}", done.1);
        // And it is the new one that runs.
        assert_eq!(house.row("live").await["release"], release);
    }
    assert_eq!(house.notes("/").await.len(), 24);
}
