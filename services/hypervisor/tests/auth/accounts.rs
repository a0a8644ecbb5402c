//! One's own passkeys, and step-up.

use crate::harness::{Site, open};
use http::{Method, StatusCode};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::passkey::Authenticator;

#[tokio::test]
async fn a_second_passkey_is_added_used_renamed_and_removed() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let mut phone = Authenticator::new();
    let added = browser.add_passkey(&mut phone, " Phone ").await;
    assert_eq!(
        (added.status, added.text("name")),
        (StatusCode::OK, "Phone")
    );
    let path = format!("/auth/passkeys/{}", added.text("id"));

    let mut on_phone = site.browser();
    on_phone.keys = phone;
    assert_eq!(on_phone.log_in("ada").await.status, StatusCode::OK);
    let list = on_phone.get("/auth/passkeys").await.json;
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(
        (&list[0]["name"], &list[0]["current"]),
        (&json!("Passkey 1"), &json!(false))
    );
    assert_eq!(
        (&list[1]["name"], &list[1]["current"]),
        (&json!("Phone"), &json!(true))
    );
    assert!(list[1]["last_used_at"].as_str().unwrap().ends_with('Z'));
    assert!(list[0]["last_used_at"].is_null());

    let renamed = browser
        .call(Method::PATCH, &path, json!({ "name": "Old phone" }))
        .await;
    assert_eq!(
        (renamed.status, renamed.text("name")),
        (StatusCode::OK, "Old phone")
    );
    for name in [json!(null), json!(" "), json!("x".repeat(65))] {
        let response = browser
            .call(Method::PATCH, &path, json!({ "name": name }))
            .await;
        assert_eq!(response.error(), (422, "invalid_name"));
    }

    assert_eq!(browser.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(on_phone.user().await, None, "its sessions end with it");
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    assert_eq!(browser.delete(&path).await.error(), (404, "not_found"));
    let start = on_phone
        .post("/auth/login/start", json!({ "username": "ada" }))
        .await;
    assert!(
        on_phone.keys.get(&start.json, on_phone.page).is_err(),
        "not offered"
    );
    assert_eq!(
        on_phone.log_in_as(json!({})).await.error(),
        (401, "login_failed")
    );
}

#[tokio::test]
async fn the_last_passkey_stays() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let list = browser.get("/auth/passkeys").await.json;
    let path = format!("/auth/passkeys/{}", list[0]["id"].as_str().unwrap());
    assert_eq!(browser.delete(&path).await.error(), (409, "last_passkey"));
    assert_eq!(browser.log_in("ada").await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_authenticator_is_not_registered_twice_for_one_account() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let start = browser.post("/auth/passkeys/start", json!({})).await;
    let refused = browser.keys.create(&start.json, browser.page);
    assert!(refused.unwrap_err().to_string().contains("here already"));
}

#[tokio::test]
async fn passkeys_and_sessions_of_others_are_out_of_reach() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    let mut bob = site.member("bob").await;
    let passkeys = ada.get("/auth/passkeys").await.json;
    let passkey = format!("/auth/passkeys/{}", passkeys[0]["id"].as_str().unwrap());
    let sessions = ada.get("/auth/sessions").await.json;
    let session = format!("/auth/sessions/{}", sessions[0]["id"].as_str().unwrap());
    for (method, path) in [
        (Method::PATCH, &*passkey),
        (Method::DELETE, &passkey),
        (Method::DELETE, &session),
        (Method::DELETE, "/auth/passkeys/none"),
        (Method::DELETE, "/auth/sessions/none"),
    ] {
        let response = bob.call(method, path, json!({ "name": "mine" })).await;
        assert_eq!(response.error(), (404, "not_found"), "{path}");
    }
    assert_eq!(ada.get("/auth/passkeys").await.json, passkeys);
    assert_eq!(bob.get("/auth/sessions").await.len(), 1);
}

#[tokio::test]
async fn an_old_login_may_not_add_or_remove_a_passkey_or_renew_codes() {
    let mut config = open();
    config.auth.step_up_secs = 1;
    let mut site = Site::new(&config).await;
    let mut browser = site.member("ada").await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while browser.me().await["fresh"] == true {
        assert!(Instant::now() < deadline, "a log-in does not stay fresh");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let step_up = (403, "step_up_required");
    let response = browser
        .add_passkey(&mut Authenticator::new(), "Phone")
        .await;
    assert_eq!(response.error(), step_up);
    let list = browser.get("/auth/passkeys").await.json;
    let path = format!("/auth/passkeys/{}", list[0]["id"].as_str().unwrap());
    assert_eq!(browser.delete(&path).await.error(), step_up);
    let response = browser.post("/auth/recovery/codes", json!({})).await;
    assert_eq!(response.error(), step_up);

    config.auth.step_up_secs = 180;
    site.restart(&config).await;
    browser.auth = site.auth.clone();
    assert_eq!(browser.log_in("ada").await.status, StatusCode::OK);
    let response = browser
        .add_passkey(&mut Authenticator::new(), "Phone")
        .await;
    assert_eq!(response.status, StatusCode::OK);
}

#[tokio::test]
async fn every_event_is_in_the_audit_log_with_the_address() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    browser.address = "192.0.2.7".parse().unwrap();
    browser.post("/auth/logout", json!({})).await;
    let mut lax = browser.clone();
    lax.keys.verifies_user = false;
    lax.log_in("ada").await;
    browser.log_in("ada").await;
    browser
        .add_passkey(&mut Authenticator::new(), "Phone")
        .await;
    browser.post("/auth/recovery/codes", json!({})).await;
    let wrong = json!({ "username": "ada", "code": "0000" });
    site.browser().post("/auth/recovery", wrong).await;
    let log = browser.get("/auth/audit").await.json;
    let rows: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["event"].as_str().unwrap(),
                row["address"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("recovery_failed", "127.0.0.1"),
        ("recovery_codes_renewed", "192.0.2.7"),
        ("passkey_added", "192.0.2.7"),
        ("logged_in", "192.0.2.7"),
        ("login_failed", "192.0.2.7"),
        ("logged_out", "192.0.2.7"),
        ("registered", "127.0.0.1"),
    ];
    assert_eq!(rows, expected);
    assert_eq!(log[2]["detail"], "Phone");
    let mut bob = site.member("bob").await;
    assert_eq!(bob.get("/auth/audit").await.len(), 1);
}
