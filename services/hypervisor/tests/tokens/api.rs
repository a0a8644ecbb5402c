//! Tokens at the gateway's own host.

use super::{House, SCOPES, bearing, create, program, refused, token};
use http::Method;
use serde_json::{Value, json};
use testkit::client::Request;

#[tokio::test]
async fn a_token_is_told_once_and_listed_without_it() {
    let house = House::new().await;
    let (secret, id) = create(&house.ada, &["sandbox:open"], Some("sandbox")).await;
    let random = secret.strip_prefix("choiros_").unwrap();
    assert_eq!(random.len(), 43, "32 random bytes");
    let listed = house.ada.client.get("/api/tokens").await.unwrap();
    assert!(!listed.text().contains(random));
    let listed: Value = listed.json().unwrap();
    let only = &listed.as_array().unwrap()[..];
    assert_eq!(only.len(), 1);
    for (key, value) in [
        ("id", json!(id)),
        ("name", json!("a program")),
        ("scopes", json!(["sandbox:open"])),
        ("workspace", json!("sandbox")),
        ("last_used_at", Value::Null),
    ] {
        assert_eq!(only[0][key], value, "{key}");
    }
    let bobs = house.bob.client.get("/api/tokens").await.unwrap();
    assert_eq!(bobs.json::<Value>().unwrap(), json!([]));
    let store = std::fs::read(house.gateway.state_dir().join("hypervisor.db")).unwrap();
    assert!(
        !contains(&store, random.as_bytes()),
        "the store has its hash alone"
    );
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn it_takes_no_cookie_no_origin_and_counts_alone() {
    let house = House::new().await;
    let admin = token(&house.root, &["admin"]).await;
    let invite = json!({ "act": "invite" });
    let request = house.ask(&admin, Method::POST, "/api/acts");
    let response = request
        .json(&invite)
        .unwrap()
        .header("origin", "https://elsewhere.example")
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    for header in [
        "access-control-allow-origin",
        "access-control-allow-headers",
    ] {
        assert_eq!(response.header(header), None, "{header}");
    }
    let adas = token(&house.ada, &SCOPES[..3]).await;
    let beside = bearing(&house.root.client, &adas, Method::POST, "/api/acts");
    let beside = beside.json(&invite).unwrap().send().await.unwrap();
    refused(&beside, 403, "insufficient_scope");
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"admin\"";
    assert_eq!(beside.header("www-authenticate"), Some(challenge));
    let bad = bearing(&house.root.client, "choiros_x", Method::GET, "/api/tokens");
    refused(&bad.send().await.unwrap(), 401, "invalid_token");
    // Also where nobody is asked who comes.
    let bad = house.get("choiros_x", "/api/openapi.json").await;
    refused(&bad, 401, "invalid_token");
    let asked = program(&house.gateway.client(), Method::OPTIONS, "/api/acts");
    let asked = asked.header("origin", "https://elsewhere.example");
    let asked = asked.header("access-control-request-method", "GET");
    let asked = asked.send().await.unwrap();
    assert!(asked.status.is_client_error());
    assert_eq!(asked.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn pages_accounts_and_the_older_paths_take_no_token() {
    let house = House::new().await;
    let all = token(&house.root, &SCOPES).await;
    for (path, status) in [
        ("/admin/sandboxes", 401),
        ("/admin", 401),
        ("/account", 401),
        ("/auth/sessions", 401),
        ("/auth/audit", 401),
        ("/auth/passkeys", 401),
        ("/auth/enter", 401),
        ("/", 401),
        ("/dev/", 401),
        ("/nothing", 404),
    ] {
        let response = house.get(&all, path).await;
        assert_eq!(response.status, status, "{path}");
    }
    let me: Value = house.get(&all, "/auth/me").await.json().unwrap();
    assert_eq!(me["authenticated"], false);
    // Where a token is nothing, the cookie beside it is what it always is.
    let beside = bearing(&house.root.client, &all, Method::GET, "/auth/me");
    let me: Value = beside.send().await.unwrap().json().unwrap();
    assert_eq!(me["username"], "root");
}

#[tokio::test]
async fn no_token_is_in_the_log() {
    let mut house = House::new().await;
    let open = token(&house.ada, &["sandbox:open"]).await;
    let made_up = format!("choiros_{}", "B".repeat(43));
    assert_eq!(house.open("sandbox", &open, "/").await.status, 200);
    house.open("sandbox", &made_up, "/").await;
    house.get(&open, "/api/tokens").await;
    house.gateway.sigterm().unwrap();
    house.gateway.wait_exit().await.unwrap();
    let said = house.gateway.process().transcript();
    assert!(
        said.contains("token_created"),
        "the audit log is in it: {said}"
    );
    assert!(!said.contains("choiros_"), "{said}");
}

/// As a browser sends what a script at a sandbox's own host asks of the gateway, cookie and all.
fn by_a_sandboxs_script(house: &super::House, method: Method, path: &str) -> Request {
    let request = house.ada.client.request(method, path);
    request
        .header("sec-fetch-site", "same-site")
        .header("sec-fetch-mode", "cors")
        .header("origin", &house.gateway.sandbox_url("sandbox"))
}

#[tokio::test]
async fn a_sandboxs_script_gets_hold_of_nothing() {
    let house = House::new().await;
    let (secret, id) = create(&house.ada, &["sandbox:open"], None).await;
    // Neither does it see a response, which no header gives it, nor does it change anything.
    let listed = by_a_sandboxs_script(&house, Method::GET, "/api/tokens");
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.header("access-control-allow-origin"), None);
    let policy = listed.header("cross-origin-resource-policy");
    assert_eq!(policy, Some("same-origin"));
    assert!(!listed.text().contains(&secret["choiros_".len()..]));
    let order = json!({ "name": "x", "scopes": ["sandbox:open"], "days": 1 });
    for (path, act) in [
        ("/api/acts", "create_token"),
        ("/api/acts", "invite"),
        ("/auth/acts/start", "create_token"),
    ] {
        let mut order = order.clone();
        order["act"] = act.into();
        let asked = by_a_sandboxs_script(&house, Method::POST, path);
        let asked = asked.json(&order).unwrap().send().await.unwrap();
        refused(&asked, 403, "cross_origin");
    }
    // A page of our own needs a passkey for the very act, whatever it is.
    let mut by_session = order.clone();
    by_session["act"] = "create_token".into();
    let asked = house.ada.client.post_json("/api/acts", &by_session).await;
    refused(&asked.unwrap(), 403, "passkey_required");
    // And a token makes and revokes none.
    for act in [by_session, json!({ "act": "revoke_token", "token_id": id })] {
        let asked = house.ask(&secret, Method::POST, "/api/acts");
        let asked = asked.json(&act).unwrap().send().await.unwrap();
        refused(&asked, 403, "no_tokens");
    }
}
