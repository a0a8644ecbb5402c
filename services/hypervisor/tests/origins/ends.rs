//! A grant lasts as long as its session, over a restart too, and no longer.

use super::{House, location};
use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use testkit::wait::DEADLINE;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_log_out_ends_what_the_session_opened_elsewhere() {
    let house = House::new().await;
    let live = house.at_live().await;
    let dev = house.ada.enter("sandbox-dev.localhost").await.unwrap();
    let nothing = json!({});
    house
        .ada
        .client
        .post_json("/auth/logout", &nothing)
        .await
        .unwrap();
    for browser in [live, dev] {
        assert_eq!(browser.get("/").await.unwrap().status, 401);
        let asked = browser.navigate("/").await.unwrap();
        assert!(location(&asked).contains("/auth/enter?"));
    }
}

#[tokio::test]
async fn what_is_open_at_the_sandboxes_hosts_ends_at_a_log_out_at_the_gateways() {
    let house = House::new().await;
    let live = house.at_live().await;
    let dev = house.ada.enter("sandbox-dev.localhost").await.unwrap();
    let mut sockets = Vec::new();
    for browser in [live, dev] {
        sockets.push(browser.websocket("/ws").await.unwrap());
    }
    let log_out = house.ada.client.post_json("/auth/logout", &json!({})).await;
    assert_eq!(log_out.unwrap().status, 303);
    for mut socket in sockets {
        let closed = async {
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Close(Some(frame)) = message {
                    return Some(u16::from(frame.code));
                }
            }
            None
        };
        let closed = tokio::time::timeout(DEADLINE, closed).await;
        assert_eq!(closed.expect("it goes on"), Some(1008));
    }
}

#[tokio::test]
async fn a_revoked_session_is_out_everywhere() {
    let house = House::new().await;
    let live = house.at_live().await;
    let sessions = house.ada.client.get("/auth/sessions").await.unwrap();
    let sessions: Vec<Value> = sessions.json().unwrap();
    let id = sessions[0]["id"].as_str().unwrap();
    let path = format!("/auth/sessions/{id}");
    let revoked = house.ada.client.delete(&path).await.unwrap();
    assert_eq!(revoked.status, 204);
    assert_eq!(live.get("/").await.unwrap().status, 401);
}

#[tokio::test]
async fn a_new_log_in_ends_the_grants_of_the_old_one() {
    let house = House::new().await;
    let live = house.at_live().await;
    house.ada.log_in().await.unwrap();
    assert_eq!(live.get("/").await.unwrap().status, 401);
    assert_eq!(house.at_live().await.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_grant_outlives_a_restart_and_ends_with_its_session_after_it() {
    let mut house = House::new().await;
    let live = house.at_live().await;
    house.gateway.restart().await.unwrap();
    // The grant comes first, before the session itself was seen again.
    let page = live.get("/").await.unwrap();
    assert_eq!(super::seen(&page, "x-choiros-user-name"), ["ada"]);
    house.gateway.restart().await.unwrap();
    let nothing = json!({});
    house
        .ada
        .client
        .post_json("/auth/logout", &nothing)
        .await
        .unwrap();
    assert_eq!(live.get("/").await.unwrap().status, 401);
    house.gateway.restart().await.unwrap();
    assert_eq!(live.get("/").await.unwrap().status, 401);
}

#[tokio::test]
async fn made_up_grants_find_nothing() {
    let house = House::new().await;
    let live = house.stranger("sandbox");
    let name = format!("choiros-grant-{}", house.gateway.port());
    for token in ["", "x", &"A".repeat(43), &"A".repeat(64)] {
        live.set_cookie(&name, token);
        assert_eq!(live.get("/").await.unwrap().status, 401);
    }
}

#[tokio::test]
async fn a_worker_of_a_sandbox_that_nobody_is_let_in_at_leaves() {
    let house = House::new().await;
    let ask = |client: &testkit::client::Client| {
        let request = client.request(Method::GET, "/sw.js");
        request
            .header("service-worker", "script")
            .header("sec-fetch-mode", "same-origin")
            .header("sec-fetch-dest", "serviceworker")
    };
    let response = ask(&house.stranger("sandbox")).send().await.unwrap();
    assert_eq!(response.status, 200);
    assert!(
        response
            .header("content-type")
            .unwrap()
            .contains("javascript")
    );
    assert_eq!(response.header("service-worker-allowed"), Some("/"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert!(response.text().contains("unregister()"));
    assert!(response.header("clear-site-data").is_none());
    // Whoever is let in gets the sandbox's own, and a page of another origin nothing.
    let live = house.at_live().await;
    let response = ask(&live).send().await.unwrap();
    assert_eq!(response.header("x-side"), Some("sandbox-live"));
    let foreign = ask(&live).header("sec-fetch-site", "same-site");
    assert_eq!(foreign.send().await.unwrap().status, 401);
}
