//! Tokens where all sandboxes share the gateway's origin.

use super::common::seen;
use super::{House, builder, create, refused, token};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn live_and_dev_are_open_to_the_scope_and_the_token_stays_outside() {
    let house = House::shared().await;
    let open = token(&house.ada, &["sandbox:open"]).await;
    for (path, side) in [
        ("/x", "sandbox-live"),
        ("/dev/x", "sandbox-dev"),
        ("/api/x", "sandbox-live"),
    ] {
        let response = house.get(&open, path).await;
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        assert_eq!(response.header("x-side"), Some(side));
        assert_eq!(seen(&response, "authorization"), [""; 0]);
        assert_eq!(seen(&response, "x-choiros-user-name"), ["ada"]);
    }
    let read = token(&house.ada, &["sandboxes:read"]).await;
    refused(&house.get(&read, "/x").await, 403, "insufficient_scope");
    let bad = house.get("choiros_x", "/x").await;
    refused(&bad, 401, "invalid_token");
    let (bound, _) = create(&house.ada, &["sandbox:open"], Some("sandbox")).await;
    assert_eq!(house.get(&bound, "/x").await.status, 200);
}

#[tokio::test]
async fn the_token_counts_alone_beside_a_cookie() {
    let house = House::shared().await;
    let bobs = token(&house.bob, &["sandbox:open"]).await;
    let request = super::bearing(&house.ada.client, &bobs, Method::GET, "/x");
    let response = request.send().await.unwrap();
    assert_eq!(seen(&response, "x-choiros-user-name"), ["bob"]);
    let request = super::bearing(&house.ada.client, "choiros_x", Method::GET, "/x");
    refused(&request.send().await.unwrap(), 401, "invalid_token");
}

#[tokio::test]
async fn the_api_is_where_no_sandbox_is() {
    let house = House::shared().await;
    let admin = token(&house.root, &["admin"]).await;
    let found = house.get(&admin, "/.choiros/api/openapi.json").await;
    let document: serde_json::Value = found.json().unwrap();
    let server = format!("{}/.choiros", house.gateway.base_url());
    assert_eq!(document["servers"], json!([{ "url": server }]));
    let below = builder().env("HYPERVISOR_GATEWAY_PREFIX", "/gate");
    let below = below.start().await.unwrap();
    for path in ["/gate/api/openapi.json", "/.choiros/api/openapi.json"] {
        let response = below.client().get(path).await.unwrap();
        assert_eq!(response.status, 200, "{path}");
    }
}
