//! Tokens at the sandboxes' own hosts.

use super::common::seen;
use super::{House, bearing, create, program, refused, token};
use http::Method;
use serde_json::json;
use testkit::client::Response;

fn challenge(response: &Response) -> &str {
    response.header("www-authenticate").unwrap()
}

#[tokio::test]
async fn a_program_gets_where_its_person_does_and_the_sandbox_does_not_see_its_token() {
    let house = House::new().await;
    let token = token(&house.ada, &["sandbox:open"]).await;
    for label in ["sandbox", "sandbox-dev"] {
        let response = house.open(label, &token, "/x?y").await;
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(seen(&response, "authorization"), [""; 0]);
        assert_eq!(seen(&response, "x-choiros-user-name"), ["ada"]);
        assert_eq!(seen(&response, "x-choiros-user-id"), [&*house.ada.user_id]);
    }
    let post = bearing(&house.at("sandbox"), &token, Method::POST, "/x");
    let post = post.header("origin", "https://elsewhere.example");
    assert_eq!(post.body("x").send().await.unwrap().status, 200);
    refused(&house.open("other", &token, "/").await, 403, "not_a_member");
}

#[tokio::test]
async fn a_token_without_the_scope_or_of_another_workspace_opens_nothing() {
    let house = House::new().await;
    let without = token(&house.ada, &["sandboxes:read", "sandboxes:promote"]).await;
    let response = house.open("sandbox", &without, "/").await;
    refused(&response, 403, "insufficient_scope");
    assert!(response.text().contains("sandbox:open"));
    assert_eq!(
        challenge(&response),
        "Bearer error=\"insufficient_scope\", scope=\"sandbox:open\""
    );
    let (bound, _) = create(&house.ada, &["sandbox:open"], Some("sandbox")).await;
    assert_eq!(house.open("sandbox", &bound, "/").await.status, 200);
    let response = house.open("other", &bound, "/").await;
    refused(&response, 403, "insufficient_scope");
    // Whom it is for has nothing to do with whom it is opened by.
    let bobs = token(&house.bob, &["sandbox:open"]).await;
    refused(
        &house.open("sandbox", &bobs, "/").await,
        403,
        "not_a_member",
    );
}

#[tokio::test]
async fn what_is_no_token_is_refused_and_never_seen_by_a_sandbox() {
    let house = House::new().await;
    let made_up = format!("choiros_{}", "A".repeat(43));
    for access in ["public", "users", "members"] {
        let order = json!({ "user_id": house.ada.user_id, "role": "live", "access": access });
        let set = house.ada.act("set_access", order).await.unwrap();
        assert_eq!(set.status, 200, "{}", set.text());
        for bad in [&*made_up, "choiros_", "choiros_x, Bearer y"] {
            let response = house.open("sandbox", bad, "/").await;
            refused(&response, 401, "invalid_token");
            assert_eq!(challenge(&response), "Bearer error=\"invalid_token\"");
        }
    }
    // Beside a grant, too.
    let live = house.ada.enter("sandbox.localhost").await.unwrap();
    assert_eq!(live.get("/").await.unwrap().status, 200);
    let both = bearing(&live, &made_up, Method::GET, "/");
    refused(&both.send().await.unwrap(), 401, "invalid_token");
}

#[tokio::test]
async fn where_everybody_is_let_in_a_token_names_nobody_and_stays_outside() {
    let house = House::new().await;
    let order = json!({ "user_id": house.ada.user_id, "role": "live", "access": "public" });
    house.ada.act("set_access", order).await.unwrap();
    let token = token(&house.ada, &["sandbox:open"]).await;
    let response = house.open("sandbox", &token, "/").await;
    assert_eq!(response.status, 200);
    assert_eq!(seen(&response, "authorization"), [""; 0]);
    assert_eq!(seen(&response, "x-choiros-user-name"), [""; 0]);
}

#[tokio::test]
async fn every_other_authorization_reaches_the_sandbox_byte_for_byte() {
    let house = House::new().await;
    let live = house.ada.enter("sandbox.localhost").await.unwrap();
    for value in [
        "Basic YTpi",
        "Bearer abc",
        "bearer  ghp_x",
        "Bearer choirosx_abc",
        "Digest username=\"choiros_bob\"",
        "x",
    ] {
        let request = live
            .request(Method::GET, "/")
            .header("authorization", value);
        let response = request.send().await.unwrap();
        assert_eq!(seen(&response, "authorization"), [value]);
        assert_eq!(seen(&response, "x-choiros-user-name"), ["ada"]);
        // And lets nobody in.
        let stranger = program(&house.at("sandbox"), Method::GET, "/");
        let stranger = stranger.header("authorization", value);
        refused(&stranger.send().await.unwrap(), 401, "unauthenticated");
    }
}

#[tokio::test]
async fn below_the_path_that_is_not_the_sandboxes_a_token_is_nothing() {
    let house = House::new().await;
    let token = token(&house.ada, &["sandbox:open"]).await;
    for path in ["/.choiros/api/tokens", "/.choiros/x"] {
        let response = house.open("sandbox", &token, path).await;
        refused(&response, 404, "not_found");
    }
}
