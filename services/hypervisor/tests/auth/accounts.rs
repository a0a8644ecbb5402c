//! One's own passkeys.

use crate::harness::{Site, open};
use http::StatusCode;
use serde_json::json;
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
    let phones = json!({ "passkey_id": added.json["id"] });

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
    assert!(
        list[0]["last_used_at"].is_string(),
        "it confirmed the other"
    );

    let named = |name: &str| json!({ "passkey_id": phones["passkey_id"], "name": name });
    let renamed = browser.act("rename_passkey", named("Old phone")).await;
    assert_eq!(
        (renamed.status, renamed.text("name")),
        (StatusCode::OK, "Old phone")
    );
    for name in ["", " ", &"x".repeat(65)] {
        let response = browser.act("rename_passkey", named(name)).await;
        assert_eq!(response.error(), (422, "invalid_name"));
    }

    let removed = browser.act("remove_passkey", phones.clone()).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(on_phone.user().await, None, "its sessions end with it");
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    let again = browser.act("remove_passkey", phones).await;
    assert_eq!(again.error(), (404, "not_found"));
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
    let last = json!({ "passkey_id": list[0]["id"] });
    let refused = browser.act("remove_passkey", last).await;
    assert_eq!(refused.error(), (409, "last_passkey"));
    assert_eq!(browser.log_in("ada").await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_authenticator_is_not_registered_twice_for_one_account() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let start = browser.begin_passkey("").await;
    let refused = browser.keys.create(&start.json, browser.page);
    assert!(refused.unwrap_err().to_string().contains("here already"));
}

#[tokio::test]
async fn passkeys_and_sessions_of_others_are_out_of_reach() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    let mut bob = site.member("bob").await;
    let passkeys = ada.get("/auth/passkeys").await.json;
    let sessions = ada.get("/auth/sessions").await.json;
    bob.add_passkey(&mut Authenticator::new(), "Phone").await;
    let nobodys = json!("00000000-0000-0000-0000-000000000000");
    for (act, parameter, id) in [
        ("rename_passkey", "passkey_id", &passkeys[0]["id"]),
        ("remove_passkey", "passkey_id", &passkeys[0]["id"]),
        ("end_session", "session_id", &sessions[0]["id"]),
        ("remove_passkey", "passkey_id", &nobodys),
        ("end_session", "session_id", &nobodys),
    ] {
        let mut parameters = json!({ parameter: id });
        if act == "rename_passkey" {
            parameters["name"] = "mine".into();
        }
        let response = bob.act(act, parameters).await;
        assert_eq!(response.error(), (404, "not_found"), "{act}");
    }
    assert_eq!(ada.get("/auth/passkeys").await.json, passkeys);
    assert_eq!(bob.get("/auth/sessions").await.len(), 1);
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
    browser.act("renew_recovery_codes", json!({})).await;
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
