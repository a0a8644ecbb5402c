//! A swap exchanges the roles while requests run, and nothing is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{Side, builder, sides};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use testkit::harness::Hypervisor;
use testkit::person::Person;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

async fn start() -> (Hypervisor, Person, Side, Side) {
    let (live, dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    (gateway, person, live, dev)
}

async fn swap(person: &Person, order: Value) -> (u16, Value) {
    let response = person.swap(order).await.unwrap();
    (response.status.as_u16(), response.json().unwrap())
}

/// The sandboxes of live and dev, and the generation.
async fn routes(person: &Person) -> (String, String, u64) {
    let rows = person.client.get("/admin/sandboxes").await.unwrap();
    let rows: Vec<Value> = rows.json().unwrap();
    let of = |role: &str| rows.iter().find(|row| row["role"] == role).unwrap().clone();
    let (live, dev) = (of("live"), of("dev"));
    assert_eq!(live["generation"], dev["generation"], "half a generation");
    (
        live["sandbox"].as_str().unwrap().to_owned(),
        dev["sandbox"].as_str().unwrap().to_owned(),
        live["generation"].as_u64().unwrap(),
    )
}

/// In which sandbox live is while a workspace that began at generation 1 has this one.
fn live_in(generation: u64) -> &'static str {
    if generation % 2 == 1 {
        "sandbox-live"
    } else {
        "sandbox-dev"
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_swaps_under_load_lose_nothing_and_answer_from_the_right_side() {
    const CLIENTS: usize = 64;
    const SOCKETS: usize = 8;
    const SWAPS: u64 = 100;
    let (_gateway, person, _live, _dev) = start().await;
    let answered = Arc::new(AtomicU64::new(1)); // The generation of the last swap's response.
    let over = Arc::new(AtomicBool::new(false));
    let mut load = Vec::new();
    for _ in 0..CLIENTS {
        let (person, answered, over) = (person.clone(), answered.clone(), over.clone());
        load.push(tokio::spawn(async move {
            let mut served = 0_u64;
            while !over.load(Ordering::SeqCst) {
                let at_least = answered.load(Ordering::SeqCst);
                let response = person.client.get("/").await.expect("a request failed");
                assert_eq!(response.status, 200, "{}", response.text());
                let generation: u64 = response
                    .header("x-seen-generation")
                    .unwrap()
                    .parse()
                    .unwrap();
                assert!(
                    generation >= at_least,
                    "generation {generation} after {at_least} was answered"
                );
                assert_eq!(response.header("x-side"), Some(live_in(generation)));
                served += 1;
            }
            served
        }));
    }
    for _ in 0..SOCKETS {
        let (person, over) = (person.clone(), over.clone());
        load.push(tokio::spawn(async move {
            let mut opened = 0;
            while !over.load(Ordering::SeqCst) {
                let mut socket = person
                    .client
                    .websocket("/ws")
                    .await
                    .expect("an upgrade failed");
                opened += 1;
                until_restart(&mut socket, &over).await;
            }
            opened
        }));
    }
    for swaps in 1..=SWAPS {
        let (status, response) = swap(&person, json!({ "drain_secs": 0 })).await;
        assert_eq!(status, 200, "{response}");
        assert_eq!(response["generation"], swaps + 1);
        assert_eq!(response["live"], live_in(swaps + 1));
        answered.store(swaps + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    over.store(true, Ordering::SeqCst);
    for client in load {
        assert!(client.await.unwrap() > 0);
    }
    assert_eq!(routes(&person).await.2, SWAPS + 1);
}

/// Talks over a WebSocket until it is closed, which must be with 1012 and between messages.
async fn until_restart(socket: &mut testkit::client::WebSocket, over: &AtomicBool) {
    let mut sent = 0_u32;
    while !over.load(Ordering::SeqCst) {
        let _ = socket.send(Message::text(sent.to_string())).await; // Its close may come first.
        sent += 1;
        let message = tokio::time::timeout(Duration::from_secs(30), socket.next()).await;
        match message.expect("the socket is silent") {
            Some(Ok(Message::Text(_))) => {}
            Some(Ok(Message::Close(Some(frame)))) => {
                assert_eq!(frame.code, CloseCode::Restart);
                return;
            }
            other => panic!("the socket ended without a close: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_unhealthy_dev_is_refused_and_nothing_changes() {
    let (_gateway, person, _live, dev) = start().await;
    let before = routes(&person).await;
    dev.set_healthy(false);
    let (status, response) = swap(&person, json!({})).await;
    assert_eq!((status, &response["error"]), (409, &json!("dev_unhealthy")));
    assert!(
        response["message"].as_str().unwrap().contains("503"),
        "{response}"
    );
    assert_eq!(routes(&person).await, before);
    let (status, response) = swap(&person, json!({ "force": true })).await;
    assert_eq!(
        (status, &response["generation"]),
        (200, &json!(2)),
        "{response}"
    );
}

#[tokio::test]
async fn an_impostor_in_devs_place_never_becomes_live() {
    let (live, _, config) = sides().await;
    let impostor = Side::start("live").await; // Says that it is sandbox-live.
    let config = config.replace(
        config.lines().last().unwrap(),
        &format!("address = \"{}\"", impostor.address),
    );
    let gateway = builder().config(&config).start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let (status, response) = swap(&person, json!({})).await;
    assert_eq!(
        (status, &response["error"]),
        (409, &json!("dev_unhealthy")),
        "{response}"
    );
    assert_eq!(routes(&person).await.2, 1);
    drop(live);
}

#[tokio::test]
async fn of_two_swaps_that_expect_one_generation_one_wins() {
    let (_gateway, person, ..) = start().await;
    let order = json!({ "expect_generation": 1 });
    let (a, b) = tokio::join!(swap(&person, order.clone()), swap(&person, order.clone()));
    let mut statuses = [a.0, b.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", a.1, b.1);
    assert_eq!(routes(&person).await.2, 2);
    let (status, response) = swap(&person, order).await;
    assert_eq!(
        (status, &response["error"]),
        (409, &json!("stale_generation"))
    );
}

#[tokio::test]
async fn undo_takes_a_swap_back() {
    let (_gateway, person, ..) = start().await;
    let (_, response) = swap(&person, json!({})).await;
    let (status, _) = swap(&person, response["undo"].clone()).await;
    assert_eq!(status, 200);
    assert_eq!(
        routes(&person).await,
        ("sandbox-live".into(), "sandbox-dev".into(), 3)
    );
}

#[tokio::test]
async fn a_claimed_request_finishes_where_it_began() {
    let (_gateway, person, ..) = start().await;
    let slow = tokio::spawn({
        let person = person.clone();
        async move { person.client.get("/slow").await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (status, _) = swap(&person, json!({ "drain_secs": 0 })).await;
    assert_eq!(status, 200);
    let now = person.client.get("/").await.unwrap();
    assert_eq!(now.header("x-side"), Some("sandbox-dev"));
    let before = slow.await.unwrap();
    assert_eq!(before.header("x-side"), Some("sandbox-live"));
    assert_eq!(before.header("x-seen-generation"), Some("1"));
}

#[tokio::test]
async fn a_websocket_stays_until_the_drains_end_and_then_gets_1012() {
    let (_gateway, person, ..) = start().await;
    let mut socket = person.client.websocket("/ws").await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::text("sandbox-live")
    );
    let (status, _) = swap(&person, json!({ "drain_secs": 3 })).await;
    assert_eq!(status, 200);
    let rows: Vec<Value> = person
        .client
        .get("/admin/sandboxes")
        .await
        .unwrap()
        .json()
        .unwrap();
    let old = rows
        .iter()
        .find(|row| row["sandbox"] == "sandbox-live")
        .unwrap();
    assert_eq!(old["status"], "draining");
    socket.send(Message::text("still here")).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::text("still here")
    );
    match socket.next().await.unwrap().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Restart),
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "fail-points")]
#[tokio::test]
async fn a_kill_at_any_step_leaves_a_whole_generation() {
    let (_live, _dev, config) = sides().await;
    for (step, after) in [
        ("probed", 1),
        ("stored", 2),
        ("published", 2),
        ("drained", 2),
    ] {
        let mut gateway = builder()
            .config(&config)
            .env("FAIL_POINT", step)
            .start()
            .await
            .unwrap();
        let person = Person::register(&gateway, "alice").await.unwrap();
        assert_eq!(routes(&person).await.2, 1);
        let cut = person.swap(json!({})).await;
        assert!(cut.is_err(), "{step}: answered, so it was not killed");
        gateway.wait_exit().await.unwrap();
        gateway.remove_env("FAIL_POINT");
        gateway.restart().await.unwrap();
        let (live, dev, generation) = routes(&person).await;
        assert_eq!(generation, after, "{step}");
        assert_eq!(live, live_in(after), "{step}");
        assert_eq!(dev, live_in(after + 1), "{step}");
        let response = person.client.get("/").await.unwrap();
        assert_eq!(
            response.header("x-side"),
            Some(live_in(after)),
            "{step}: {}",
            response.text()
        );
    }
}
