//! Logging in, and whom a passkey never logs in.

use crate::harness::{ORIGIN, Site, open};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::StatusCode;
use hypervisor::store::{AccountStore, PasskeyStore};
use serde_json::json;

#[tokio::test]
async fn a_user_logs_in_by_name_and_without_one() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    browser.post("/auth/logout", json!({})).await;
    assert_eq!(browser.user().await, None);

    let response = browser.log_in(" ADA ").await;
    assert_eq!(
        (response.status, response.text("username")),
        (StatusCode::OK, "ada")
    );
    assert_eq!(browser.user().await.as_deref(), Some("ada"));

    for body in [
        json!({}),
        json!({ "username": null }),
        json!({ "username": " " }),
    ] {
        let response = browser.log_in_as(body).await;
        assert_eq!(
            (response.status, response.text("username")),
            (StatusCode::OK, "ada")
        );
    }
}

#[tokio::test]
async fn an_authenticator_that_keeps_no_user_handle_logs_in_by_name() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    for handle in [None, Some(json!(null)), Some(json!(""))] {
        let start = browser
            .post("/auth/login/start", json!({ "username": "ada" }))
            .await;
        let mut response = browser.keys.get(&start.json, ORIGIN).unwrap();
        match handle {
            Some(handle) => response["response"]["userHandle"] = handle,
            None => drop(
                response["response"]
                    .as_object_mut()
                    .unwrap()
                    .remove("userHandle"),
            ),
        }
        let finish = browser.post("/auth/login/finish", response).await;
        assert_eq!(finish.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn logging_in_registers_nobody() {
    let site = Site::new(&open()).await;
    let mut browser = site.browser();
    let response = browser.log_in("nobody@example.org").await;
    assert_eq!(response.error(), (404, "no_account"));
    assert!(response.text("message").contains("no account found"));
    assert!(site.store.users().unwrap().is_empty());
}

#[tokio::test]
async fn the_session_id_changes_at_login_and_the_old_one_is_dead() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let before = browser.clone();
    browser.log_in("ada").await;
    assert_ne!(browser.session_cookie(), before.session_cookie());
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    assert_eq!(
        before.clone().get("/auth/passkeys").await.error(),
        (401, "unauthenticated")
    );
}

#[tokio::test]
async fn a_session_id_that_an_attacker_planted_is_not_taken_over() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    browser.post("/auth/logout", json!({})).await;
    let planted = BASE64.encode([7; 32]);
    browser
        .cookies
        .insert("choiros-9090".into(), planted.clone());
    assert_eq!(browser.log_in("ada").await.status, StatusCode::OK);
    assert_ne!(browser.session_cookie(), Some(&planted));
}

#[tokio::test]
async fn a_passkey_of_one_user_never_logs_in_another() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    site.member("bob").await;
    ada.post("/auth/logout", json!({})).await;
    let bob = site.store.user_by_name("bob").unwrap().unwrap();

    let for_bob = json!({ "username": "bob" });
    for claims_to_be_bob in [false, true] {
        let start = ada.post("/auth/login/start", for_bob.clone()).await;
        let mut response = ada.keys.get_with(0, &start.json, ORIGIN).unwrap();
        if claims_to_be_bob {
            response["response"]["userHandle"] = BASE64.encode(bob.id).into();
        }
        let finish = ada.post("/auth/login/finish", response).await;
        assert_eq!(finish.error(), (401, "login_failed"));
        assert_eq!(ada.user().await, None);
    }

    // Unnamed, the user handle is not signed: it must be the passkey's owner's.
    for handle in [json!(BASE64.encode(bob.id)), json!(null), json!("")] {
        let start = ada.post("/auth/login/start", json!({})).await;
        let mut response = ada.keys.get(&start.json, ORIGIN).unwrap();
        response["response"]["userHandle"] = handle;
        let finish = ada.post("/auth/login/finish", response).await;
        assert_eq!(finish.error(), (401, "login_failed"));
        assert_eq!(ada.user().await, None);
    }
}

#[tokio::test]
async fn a_credential_id_of_another_user_on_a_signature_of_ones_own_is_refused() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    site.member("bob").await;
    let bob = site.store.user_by_name("bob").unwrap().unwrap();
    let id = BASE64.encode(&site.store.passkeys_of(bob.id).unwrap()[0].credential_id);
    ada.cookies.clear();
    for body in [json!({ "username": "bob" }), json!({})] {
        let start = ada.post("/auth/login/start", body).await;
        let mut response = ada.keys.get_with(0, &start.json, ORIGIN).unwrap();
        response["id"] = id.clone().into();
        response["rawId"] = id.clone().into();
        response["response"]["userHandle"] = BASE64.encode(bob.id).into();
        let finish = ada.post("/auth/login/finish", response).await;
        assert_eq!(finish.error(), (401, "login_failed"));
        assert_eq!(ada.user().await, None);
    }
}

#[tokio::test]
async fn a_response_without_user_verification_or_from_elsewhere_is_refused() {
    let site = Site::new(&open()).await;
    let member = site.member("ada").await;
    for (verifies_user, page) in [(false, ORIGIN), (true, "http://evil.example")] {
        let mut browser = member.clone();
        browser.cookies.clear();
        browser.keys.verifies_user = verifies_user;
        browser.page = page;
        let response = browser.log_in("ada").await;
        assert_eq!(response.error(), (401, "login_failed"), "{page}");
        assert_eq!(browser.user().await, None);
    }
}

#[tokio::test]
async fn a_passkey_that_was_registered_nowhere_is_refused() {
    let site = Site::new(&open()).await;
    site.member("ada").await;
    let elsewhere = Site::new(&open()).await.member("ada").await;
    for body in [json!({ "username": "ada" }), json!({})] {
        let mut browser = site.browser();
        let start = browser.post("/auth/login/start", body).await;
        let response = elsewhere
            .clone()
            .keys
            .get_with(0, &start.json, ORIGIN)
            .unwrap();
        let finish = browser.post("/auth/login/finish", response).await;
        assert_eq!(finish.error(), (401, "login_failed"));
    }
}

#[tokio::test]
async fn a_cloned_passkey_is_refused_once_the_original_was_used() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let mut thief = browser.clone();
    thief.cookies.clear();
    for _ in 0..2 {
        assert_eq!(browser.log_in("ada").await.status, StatusCode::OK);
    }
    let refused = thief.log_in("ada").await;
    assert_eq!(refused.error(), (401, "passkey_changed"));
    assert!(refused.text("message").contains("recovery code"));
    let ada = site.store.user_by_name("ada").unwrap().unwrap();
    let passkey = &site.store.passkeys_of(ada.id).unwrap()[0];
    assert_eq!(passkey.counter, 2);
    assert!(passkey.last_used_at.is_some());
}

#[tokio::test]
async fn a_passkey_that_does_not_count_logs_in_again_and_again() {
    let site = Site::new(&open()).await;
    let mut browser = site.browser();
    browser.keys.counts = false;
    browser.register("ada").await;
    for _ in 0..3 {
        assert_eq!(browser.log_in("ada").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn logging_out_ends_the_session_and_leads_to_the_login() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let before = browser.clone();
    let response = browser.post("/auth/logout", json!({})).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    assert_eq!(response.headers["location"], "/login");
    assert_eq!(browser.session_cookie(), None);
    assert_eq!(before.clone().user().await, None);
    let again = browser.post("/auth/logout", json!({})).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}
