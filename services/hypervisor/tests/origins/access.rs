//! Who may look, by role.

use super::{House, code, location, path, program, seen};
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

async fn set(house: &House, args: &[&str]) -> String {
    let args: Vec<&str> = ["access"].iter().chain(args).copied().collect();
    let output = house.gateway.cli(&args).await.unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn a_public_live_stands_beside_a_private_dev() {
    let mut house = House::new().await;
    house.at_live().await;
    let (live, dev) = (house.stranger("sandbox"), house.stranger("sandbox-dev"));
    assert_eq!(live.get("/").await.unwrap().status, 401);
    let said = set(&house, &["sandbox", "live", "public"]).await;
    assert!(
        said.contains("public") && said.contains("http://sandbox.localhost:"),
        "{said}"
    );

    // Nobody is asked anything, and the sandbox is told of nobody.
    let page = live.navigate("/").await.unwrap();
    assert_eq!(page.header("x-side"), Some("sandbox-live"));
    let from_elsewhere = program(&live, Method::POST, "/hook")
        .header("origin", "https://forge.example")
        .header("sec-fetch-site", "cross-site");
    for page in [page, from_elsewhere.send().await.unwrap()] {
        assert_eq!(page.status, 200);
        assert!(seen(&page, "x-choiros-user-id").is_empty());
        assert!(seen(&page, "x-choiros-user-name").is_empty());
        assert_eq!(seen(&page, "x-choiros-role"), ["live"]);
    }
    let spoofed = live
        .request(Method::GET, "/")
        .header("x-choiros-user-id", "root");
    assert!(seen(&spoofed.send().await.unwrap(), "x-choiros-user-id").is_empty());
    assert!(live.websocket("/ws").await.is_ok());
    // Nor of its members.
    let adas = house.stranger("sandbox");
    let session = house.ada.client.session_cookie();
    adas.set_cookie(&session, &house.ada.client.cookie(&session).unwrap());
    let page = adas.get("/").await.unwrap();
    assert!(seen(&page, "x-choiros-user-id").is_empty() && seen(&page, "cookie").is_empty());

    assert_eq!(dev.get("/").await.unwrap().status, 401);
    assert_eq!(house.stranger("other").get("/").await.unwrap().status, 401);

    // It belongs to the role, over a swap and a restart.
    let swapped = house.gateway.cli(&["swap"]).await.unwrap();
    assert!(swapped.status.success());
    let page = live.get("/").await.unwrap();
    assert_eq!(page.header("x-side"), Some("sandbox-dev"));
    assert_eq!(dev.get("/").await.unwrap().status, 401);
    house.gateway.restart().await.unwrap();
    assert_eq!(live.get("/").await.unwrap().status, 200);
    assert_eq!(dev.get("/").await.unwrap().status, 401);

    let audit = house.ada.client.get("/auth/audit").await.unwrap();
    assert!(
        audit
            .text()
            .contains("live of sandbox from members to public by the operator")
    );
    set(&house, &["sandbox", "live", "members"]).await;
    assert_eq!(live.get("/").await.unwrap().status, 401);
}

#[tokio::test]
async fn every_user_is_let_in_where_the_owner_says_so() {
    let house = House::new().await;
    set(&house, &["sandbox", "dev", "users"]).await;
    let host = "sandbox-dev.localhost";
    let bobs = house.bob.enter(host).await.unwrap();
    let page = bobs.get("/").await.unwrap();
    assert_eq!(seen(&page, "x-choiros-user-name"), ["bob"]);
    assert_eq!(
        house.stranger("sandbox-dev").get("/").await.unwrap().status,
        401
    );
    // Not at the other role.
    let ask = location(&house.stranger("sandbox").navigate("/").await.unwrap());
    let refused = house.bob.client.navigate(path(&ask)).await.unwrap();
    assert_eq!(refused.status, 403);

    let adas = house.ada.enter(host).await.unwrap();
    let mut bob = bobs.websocket("/ws").await.unwrap();
    let mut ada = adas.websocket("/ws").await.unwrap();
    set(&house, &["sandbox", "dev", "members"]).await;
    assert_eq!(code(&bobs.get("/").await.unwrap()), "not_a_member");
    assert_eq!(adas.get("/").await.unwrap().status, 200);
    let closed = async {
        while let Some(Ok(message)) = bob.next().await {
            if let Message::Close(Some(frame)) = message {
                return Some(u16::from(frame.code));
            }
        }
        None
    };
    assert_eq!(closed.await, Some(1008));
    ada.send(Message::text("still here")).await.unwrap();
    let heard = async {
        while let Some(Ok(message)) = ada.next().await {
            if message == Message::text("still here") {
                return true;
            }
        }
        false
    };
    assert!(heard.await);
}

#[tokio::test]
async fn visitors_leave_room_for_members() {
    let limit = "HYPERVISOR_PROXY_MAX_REQUESTS_PER_SANDBOX";
    let house = House::with(limit, "2").await;
    let members = house.at_live().await;
    set(&house, &["sandbox", "live", "public"]).await;
    let visitors = house.stranger("sandbox");
    let open = visitors.websocket("/ws").await.unwrap();
    let refused = visitors.get("/").await.unwrap();
    assert_eq!(refused.status, 503);
    assert_eq!(code(&refused), "visitors_busy");
    assert!(refused.text().contains("proxy.max_requests_per_sandbox"));
    drop(open);
    set(&house, &["sandbox", "live", "users"]).await;
    assert_eq!(members.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn the_operator_is_told_what_does_not_fit() {
    let house = House::new().await;
    let said = set(&house, &["nobody", "live"]).await;
    assert!(said.contains("there is no workspace nobody"), "{said}");
    let said = set(&house, &["sandbox", "live", "everybody"]).await;
    assert!(said.contains("members, users, public"), "{said}");
    let output = house
        .gateway
        .cli(&["access", "other", "dev", "--json"])
        .await
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["access"], "members");
    assert_eq!(told["url"], format!("{}/", house.origin("other-dev")));

    let shared = crate::common::gateway().await;
    let output = shared
        .cli(&["access", "sandbox", "live", "public"])
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("origins"),
        "{said}"
    );
}
