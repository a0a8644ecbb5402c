//! What a token opened ends with it, whatever ends it.

use super::{House, bearing, create, refused, token};
use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use testkit::wait::{DEADLINE, eventually};
use tokio_tungstenite::tungstenite::Message;

/// A WebSocket that a program with this token has opened, once the sandbox speaks.
macro_rules! socket {
    ($house:expr, $label:expr, $token:expr) => {{
        let value = format!("Bearer {}", $token);
        let headers = [("authorization", &*value)];
        let client = $house.at($label);
        let mut socket = client.websocket_with("/ws", &headers).await.unwrap();
        socket.next().await.unwrap().unwrap();
        socket
    }};
}

/// The code with which it is closed.
macro_rules! close_code {
    ($socket:expr) => {{
        let closed = async {
            while let Some(Ok(message)) = $socket.next().await {
                if let Message::Close(Some(frame)) = message {
                    return Some(u16::from(frame.code));
                }
            }
            None
        };
        let closed = tokio::time::timeout(DEADLINE, closed).await;
        closed.expect("it goes on")
    }};
}

#[tokio::test]
async fn a_revoked_token_is_good_for_nothing_more_and_what_it_opened_ends() {
    let house = House::new().await;
    let (open, id) = create(&house.ada, &["sandbox:open"], None).await;
    let other = token(&house.ada, &["sandbox:open"]).await;
    let mut socket = socket!(house, "sandbox", open);
    let revoked = house
        .ada
        .act("revoke_token", json!({ "token_id": id }))
        .await;
    assert_eq!(revoked.unwrap().status, 204);
    refused(
        &house.open("sandbox", &open, "/").await,
        401,
        "invalid_token",
    );
    assert_eq!(close_code!(socket), Some(1008));
    assert_eq!(house.open("sandbox", &other, "/").await.status, 200);
    let again = house
        .ada
        .act("revoke_token", json!({ "token_id": id }))
        .await;
    refused(&again.unwrap(), 404, "not_found");
}

#[tokio::test]
async fn nobody_revokes_anothers() {
    let house = House::new().await;
    let (open, id) = create(&house.ada, &["sandbox:open"], None).await;
    let by_bob = house
        .bob
        .act("revoke_token", json!({ "token_id": id }))
        .await;
    refused(&by_bob.unwrap(), 404, "not_found");
    assert_eq!(house.open("sandbox", &open, "/").await.status, 200);
}

#[tokio::test]
async fn a_token_ends_with_its_days_also_in_the_midst_of_a_stream() {
    let mut house = House::new().await;
    let (open, id) = create(&house.ada, &["sandbox:open"], None).await;
    assert_eq!(house.open("sandbox", &open, "/").await.status, 200);
    // As if it had been made for a few seconds.
    let ends = hypervisor::timestamp::Timestamp::now().millis() + 4000;
    let store = house.gateway.state_dir().join("hypervisor.db");
    house.gateway.sigterm().unwrap();
    house.gateway.wait_exit().await.unwrap();
    let store = rusqlite::Connection::open(store).unwrap();
    let id = uuid::Uuid::parse_str(&id).unwrap();
    let sql = "UPDATE tokens SET expires_at = ?2 WHERE id = ?1";
    assert_eq!(store.execute(sql, rusqlite::params![id, ends]).unwrap(), 1);
    drop(store);
    house.gateway.restart().await.unwrap();
    let mut socket = socket!(house, "sandbox", open);
    assert_eq!(close_code!(socket), Some(1008));
    let response = bearing(&house.at("sandbox"), &open, Method::GET, "/");
    refused(&response.send().await.unwrap(), 401, "invalid_token");
}

#[tokio::test]
async fn a_token_outlives_a_restart_and_its_last_use_is_told() {
    let mut house = House::new().await;
    let open = token(&house.ada, &["sandbox:open"]).await;
    let last_use = async |house: &House| {
        let tokens = house.ada.client.get("/api/tokens").await.unwrap();
        let tokens: Value = tokens.json().unwrap();
        tokens[0]["last_used_at"].as_str().map(ToOwned::to_owned)
    };
    assert_eq!(last_use(&house).await, None);
    assert_eq!(house.open("sandbox", &open, "/").await.status, 200);
    let used = last_use(&house).await;
    assert!(used.is_some());
    house.gateway.restart().await.unwrap();
    assert_eq!(last_use(&house).await, used, "it was written down");
    eventually("the sandbox", async || {
        let response = house.open("sandbox", &open, "/").await;
        (response.status == 200).then_some(())
    })
    .await
    .unwrap();
}
#[tokio::test]
async fn a_disabled_persons_tokens_rest_and_a_removed_ones_are_gone() {
    let house = House::new().await;
    let open = token(&house.bob, &["sandbox:open"]).await;
    let mut socket = socket!(house, "other", open);
    let bob = json!({ "user_id": house.bob.user_id });
    let disabled = house.root.act("disable_user", bob.clone()).await.unwrap();
    assert!(disabled.status.is_success(), "{}", disabled.text());
    refused(&house.open("other", &open, "/").await, 401, "invalid_token");
    assert_eq!(close_code!(socket), Some(1008));
    let enabled = house.root.act("enable_user", bob).await.unwrap();
    assert!(enabled.status.is_success(), "{}", enabled.text());
    assert_eq!(house.open("other", &open, "/").await.status, 200);
}

#[tokio::test]
async fn an_admins_token_is_worth_no_more_than_its_user_is_now() {
    let house = House::new().await;
    let bob = json!({ "user_id": house.bob.user_id, "admin": true });
    let made = house.root.act("set_admin", bob).await.unwrap();
    assert!(made.status.is_success(), "{}", made.text());
    house.bob.log_in().await.unwrap();
    let admin = token(&house.bob, &["admin"]).await;
    assert_eq!(house.get(&admin, "/api/users").await.status, 200);
    let bob = json!({ "user_id": house.bob.user_id, "admin": false });
    let unmade = house.root.act("set_admin", bob).await.unwrap();
    assert!(unmade.status.is_success(), "{}", unmade.text());
    refused(&house.get(&admin, "/api/users").await, 403, "admin_only");
}
