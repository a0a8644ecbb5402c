//! Recovery codes: once, and only to add a passkey.

use crate::harness::{Browser, Site, open};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::passkey::Authenticator;

/// A user who has lost everything but their codes.
async fn stranded(site: &Site, username: &str) -> (Browser, Vec<String>) {
    let response = site.browser().register(username).await;
    let codes = response.json["recovery_codes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().into());
    (site.browser(), codes.collect())
}

async fn recover(browser: &mut Browser, username: &str, code: &str) -> super::harness::Reply {
    let body = json!({ "username": username, "code": code });
    browser.post("/auth/recovery", body).await
}

#[tokio::test]
async fn a_recovery_code_leads_only_to_adding_a_passkey() {
    let site = Site::new(&open()).await;
    let (mut browser, codes) = stranded(&site, "ada").await;
    let typed = codes[0].to_lowercase().replace('-', " ");
    let response = recover(&mut browser, "Ada", &typed).await;
    assert_eq!(
        (response.status, response.text("username")),
        (StatusCode::OK, "ada")
    );
    let me = browser.me().await;
    assert_eq!(me["kind"], "recovery");
    assert_eq!(me["recovery_codes_left"], 9);

    let forbidden = [
        (Method::GET, "/auth/passkeys"),
        (Method::GET, "/auth/sessions"),
        (Method::GET, "/auth/audit"),
        (Method::POST, "/auth/recovery/codes"),
        (Method::POST, "/auth/invites"),
        (Method::PATCH, "/auth/passkeys/x"),
        (Method::DELETE, "/auth/passkeys/x"),
        (Method::DELETE, "/auth/sessions/x"),
    ];
    for (method, path) in forbidden {
        let response = browser.call(method, path, json!({})).await;
        assert_eq!(response.error(), (403, "recovery_session"), "{path}");
    }
    for act in [
        "add_passkey",
        "renew_recovery_codes",
        "invite",
        "end_other_sessions",
    ] {
        let response = browser.start(act, json!({})).await;
        assert_eq!(response.error(), (403, "recovery_session"), "{act}");
    }

    let recovery_session = browser.clone();
    let mut phone = Authenticator::new();
    let added = browser.add_passkey(&mut phone, "Phone").await;
    assert_eq!(
        (added.status, added.text("name")),
        (StatusCode::OK, "Phone")
    );
    assert_eq!(browser.user().await, None, "it has done what it may");
    assert_eq!(recovery_session.clone().user().await, None);
    browser.keys = phone;
    assert_eq!(browser.log_in("ada").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_recovery_code_works_once() {
    let site = Site::new(&open()).await;
    let (mut browser, codes) = stranded(&site, "ada").await;
    assert_eq!(
        recover(&mut browser, "ada", &codes[3]).await.status,
        StatusCode::OK
    );
    let mut again = site.browser();
    let response = recover(&mut again, "ada", &codes[3]).await;
    assert_eq!(response.error(), (401, "recovery_failed"));
    assert_eq!(again.user().await, None);
}

#[tokio::test]
async fn of_many_who_use_one_code_at_once_exactly_one_gets_in() {
    let site = Site::new(&open()).await;
    let (browser, codes) = stranded(&site, "ada").await;
    let attempts = (0..8).map(|_| {
        let (mut browser, code) = (browser.clone(), codes[0].clone());
        tokio::spawn(async move { recover(&mut browser, "ada", &code).await.status })
    });
    let mut admitted = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        admitted += usize::from(attempt.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(admitted, 1);
}

#[tokio::test]
async fn a_code_of_one_user_is_no_good_for_another() {
    let site = Site::new(&open()).await;
    let (mut browser, codes) = stranded(&site, "ada").await;
    site.member("bob").await;
    for username in ["bob", "nobody"] {
        let response = recover(&mut browser, username, &codes[0]).await;
        assert_eq!(response.error(), (401, "recovery_failed"));
    }
    assert_eq!(
        recover(&mut browser, "ada", &codes[0]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn logging_out_ends_a_recovery_session() {
    let site = Site::new(&open()).await;
    let (mut browser, codes) = stranded(&site, "ada").await;
    recover(&mut browser, "ada", &codes[0]).await;
    let before = browser.clone();
    browser.post("/auth/logout", json!({})).await;
    let refused = before.clone().post("/auth/passkeys/start", json!({})).await;
    assert_eq!(refused.error(), (401, "unauthenticated"));
}

#[tokio::test]
async fn new_codes_take_the_place_of_the_old() {
    let site = Site::new(&open()).await;
    let mut browser = site.browser();
    let old = browser.register("ada").await.json["recovery_codes"].clone();
    let new = browser.act("renew_recovery_codes", json!({})).await;
    let new = new.json["recovery_codes"].clone();
    assert_eq!(new.as_array().map(Vec::len), Some(10));
    let code = |codes: &Value| codes[0].as_str().unwrap().to_owned();
    let mut stranger = site.browser();
    let response = recover(&mut stranger, "ada", &code(&old)).await;
    assert_eq!(response.error(), (401, "recovery_failed"));
    let response = recover(&mut stranger, "ada", &code(&new)).await;
    assert_eq!(response.status, StatusCode::OK);
}
