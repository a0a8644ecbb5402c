//! Ceremonies, other origins, rate limits, and what is told when something breaks.

use crate::harness::{Browser, ORIGIN, Site, open};
use http::{Method, StatusCode};
use hypervisor::store::AccountStore;
use serde_json::{Value, json};
use std::time::Duration;

/// Every call under `/auth` that changes state.
const CHANGES: [(&str, &str); 16] = [
    ("POST", "/auth/register/start"),
    ("POST", "/auth/register/finish"),
    ("POST", "/auth/login/start"),
    ("POST", "/auth/login/finish"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/recovery"),
    ("POST", "/auth/recovery/codes"),
    ("POST", "/auth/passkeys/start"),
    ("POST", "/auth/passkeys/finish"),
    (
        "PATCH",
        "/auth/passkeys/00000000-0000-0000-0000-000000000000",
    ),
    (
        "DELETE",
        "/auth/passkeys/00000000-0000-0000-0000-000000000000",
    ),
    (
        "DELETE",
        "/auth/sessions/00000000-0000-0000-0000-000000000000",
    ),
    ("POST", "/auth/invites"),
    ("POST", "/auth/acts/start"),
    ("POST", "/auth/acts/finish"),
    ("POST", "/auth/me"),
];

#[tokio::test]
async fn every_call_that_changes_state_is_refused_from_another_origin() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let foreign: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://localhost:3000")],
        &[("origin", "null")],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://evil.example"),
        ],
    ];
    let body = json!({ "username": "bob", "code": "x", "name": "x" });
    for (method, path) in CHANGES {
        for headers in foreign {
            let method = Method::try_from(method).unwrap();
            let response = browser.send(method, path, &body, headers).await;
            assert_eq!(
                response.error(),
                (403, "cross_origin"),
                "{path} {headers:?}"
            );
            assert!(!response.headers.contains_key("set-cookie"));
        }
    }
    assert_eq!(
        browser.user().await.as_deref(),
        Some("ada"),
        "still logged in"
    );
    let curl = browser
        .send(Method::POST, "/auth/logout", &Value::Null, &[])
        .await;
    assert_eq!(
        curl.status,
        StatusCode::SEE_OTHER,
        "with neither header it is no browser"
    );
}

#[tokio::test]
async fn every_call_on_ones_account_takes_a_session() {
    let site = Site::new(&open()).await;
    let mut stranger = site.browser();
    stranger
        .cookies
        .insert("choiros-9090".into(), "rubbish".into());
    let credential = {
        let start = stranger
            .post("/auth/register/start", json!({ "username": "x" }))
            .await;
        stranger.keys.create(&start.json, ORIGIN).unwrap()
    };
    for (method, path) in [
        ("GET", "/auth/passkeys"),
        ("POST", "/auth/passkeys/start"),
        ("POST", "/auth/passkeys/finish"),
        ("PATCH", "/auth/passkeys/x"),
        ("DELETE", "/auth/passkeys/x"),
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions/x"),
        ("GET", "/auth/audit"),
        ("POST", "/auth/recovery/codes"),
        ("POST", "/auth/invites"),
    ] {
        let method = Method::try_from(method).unwrap();
        let response = stranger.call(method, path, credential.clone()).await;
        assert_eq!(response.error(), (401, "unauthenticated"), "{path}");
    }
    let wrong = stranger.call(Method::PUT, "/auth/me", json!({})).await;
    assert_eq!(wrong.error(), (405, "method_not_allowed"));
}

/// A browser that has begun to log in, and its passkey's response.
async fn answered(site: &Site, member: &Browser) -> (Browser, Value) {
    let mut browser = member.clone();
    browser.visit(site);
    browser.cookies.clear();
    let start = browser
        .post("/auth/login/start", json!({ "username": "ada" }))
        .await;
    let response = browser.keys.get(&start.json, ORIGIN).unwrap();
    (browser, response)
}

#[tokio::test]
async fn a_replayed_ceremony_is_refused() {
    let site = Site::new(&open()).await;
    let member = site.member("ada").await;
    let (mut browser, response) = answered(&site, &member).await;
    let mut thief = browser.clone();
    let first = browser.post("/auth/login/finish", response.clone()).await;
    assert_eq!(first.status, StatusCode::OK);
    let replayed = thief.post("/auth/login/finish", response.clone()).await;
    assert_eq!(replayed.error(), (400, "ceremony_invalid"));
    assert_eq!(thief.user().await, None);

    let (mut later, _) = answered(&site, &member).await;
    let into_a_new_one = later.post("/auth/login/finish", response).await;
    assert_eq!(into_a_new_one.error(), (401, "login_failed"));

    let mut browser = site.browser();
    let start = browser
        .post("/auth/register/start", json!({ "username": "bob" }))
        .await;
    let credential = browser.keys.create(&start.json, ORIGIN).unwrap();
    let mut thief = browser.clone();
    browser
        .post("/auth/register/finish", credential.clone())
        .await;
    let replayed = thief.post("/auth/register/finish", credential).await;
    assert_eq!(replayed.error(), (400, "ceremony_invalid"));
}

#[tokio::test]
async fn a_failed_ceremony_is_used_up_too() {
    let site = Site::new(&open()).await;
    let member = site.member("ada").await;
    let (mut browser, response) = answered(&site, &member).await;
    let mut wrong = response.clone();
    wrong["response"]["signature"] = "AAAA".into();
    let mut retry = browser.clone();
    let failed = browser.post("/auth/login/finish", wrong).await;
    assert_eq!(failed.error(), (401, "login_failed"));
    let again = retry.post("/auth/login/finish", response).await;
    assert_eq!(again.error(), (400, "ceremony_invalid"));
}

#[tokio::test]
async fn a_ceremony_of_another_browser_is_refused() {
    let site = Site::new(&open()).await;
    let member = site.member("ada").await;
    let (_, response) = answered(&site, &member).await;
    let mut elsewhere = site.browser();
    let without = elsewhere.post("/auth/login/finish", response.clone()).await;
    assert_eq!(without.error(), (400, "ceremony_invalid"));
    elsewhere
        .post("/auth/login/start", json!({ "username": "ada" }))
        .await;
    let with_its_own = elsewhere.post("/auth/login/finish", response).await;
    assert_eq!(with_its_own.error(), (401, "login_failed"));
    assert_eq!(elsewhere.user().await, None);
}

#[tokio::test]
async fn a_ceremony_for_another_purpose_is_refused() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    let bob = json!({ "username": "bob" });

    // Begun as a registration, finished as one more passkey of ada's, and the other way round.
    let start = ada.post("/auth/register/start", bob).await;
    let mut keys = testkit::passkey::Authenticator::new();
    let credential = keys.create(&start.json, ORIGIN).unwrap();
    let response = ada.post("/auth/passkeys/finish", credential).await;
    assert_eq!(response.error(), (400, "ceremony_invalid"));
    let start = ada.begin_passkey("").await;
    let credential = keys.create(&start.json, ORIGIN).unwrap();
    let response = ada.post("/auth/register/finish", credential.clone()).await;
    assert_eq!(response.error(), (400, "ceremony_invalid"));

    // Begun as a log-in, finished as a registration, and the other way round.
    ada.post("/auth/login/start", json!({})).await;
    let response = ada.post("/auth/register/finish", credential).await;
    assert_eq!(response.error(), (400, "ceremony_invalid"));
    let (_, response) = answered(&site, &ada).await;
    ada.begin_passkey("").await;
    let response = ada.post("/auth/login/finish", response).await;
    assert_eq!(response.error(), (400, "ceremony_invalid"));
    assert_eq!(site.store.users().unwrap().len(), 1);
    assert_eq!(ada.get("/auth/passkeys").await.len(), 1);
}

#[tokio::test]
async fn a_passkey_is_added_only_by_the_session_that_began_it() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    let start = ada.begin_passkey("").await;
    let mut keys = testkit::passkey::Authenticator::new();
    let credential = keys.create(&start.json, ORIGIN).unwrap();
    let mut bob = site.member("bob").await;
    bob.cookies.insert(
        "choiros-ceremony-9090".into(),
        ada.cookies["choiros-ceremony-9090"].clone(),
    );
    let response = bob.post("/auth/passkeys/finish", credential).await;
    assert_eq!(response.error(), (400, "ceremony_invalid"));

    let start = ada.begin_passkey("").await;
    let credential = keys.create(&start.json, ORIGIN).unwrap();
    let ceremony = ada.cookies["choiros-ceremony-9090"].clone();
    ada.log_in("ada").await;
    ada.cookies.insert("choiros-ceremony-9090".into(), ceremony);
    let response = ada.post("/auth/passkeys/finish", credential).await;
    assert_eq!(response.error(), (400, "ceremony_invalid"));
}

#[tokio::test]
async fn a_ceremony_that_took_too_long_is_refused() {
    let mut config = open();
    config.auth.ceremony_secs = 1;
    let site = Site::new(&config).await;
    let mut browser = site.browser();
    let start = browser
        .post("/auth/register/start", json!({ "username": "ada" }))
        .await;
    let credential = browser.keys.create(&start.json, ORIGIN).unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let response = browser.post("/auth/register/finish", credential).await;
    assert_eq!(response.error(), (400, "ceremony_invalid"));
    assert!(site.store.users().unwrap().is_empty());
}

#[tokio::test]
async fn an_address_that_asks_too_often_has_to_wait() {
    let mut config = open();
    config.auth.rate_per_address = 2;
    let site = Site::new(&config).await;
    let mut browser = site.browser();
    let start = json!({});
    for _ in 0..2 {
        let response = browser.post("/auth/login/start", start.clone()).await;
        assert_eq!(response.status, StatusCode::OK);
    }
    let refused = browser.post("/auth/login/start", start.clone()).await;
    assert_eq!(refused.error(), (429, "rate_limited"));
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(
        browser.get("/auth/me").await.status,
        StatusCode::OK,
        "reading is free"
    );
    browser.address = "192.0.2.9".parse().unwrap();
    assert_eq!(
        browser.post("/auth/login/start", start).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_account_that_is_tried_too_often_has_to_wait_wherever_from() {
    let mut config = open();
    config.auth.rate_per_account = 2;
    let site = Site::new(&config).await;
    let mut ada = site.member("ada").await;
    let mut attackers = site.browser();
    let attempt = |username: &str| json!({ "username": username, "code": "0000" });
    for username in ["ada", "nobody"] {
        for host in 1..=3 {
            attackers.address = [192, 0, 2, host].into();
            let response = attackers.post("/auth/recovery", attempt(username)).await;
            let (expected, code) =
                [(401, "recovery_failed"), (429, "rate_limited")][usize::from(host == 3)];
            assert_eq!(response.error(), (expected, code), "known or not");
        }
    }
    let named = ada.log_in("ADA").await;
    assert_eq!(named.error(), (429, "rate_limited"));
    let unnamed = ada.log_in_as(json!({})).await;
    assert_eq!(
        unnamed.status,
        StatusCode::OK,
        "nobody can lock a passkey out"
    );
}

#[tokio::test]
async fn what_breaks_inside_is_not_told_outside() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let db = rusqlite::Connection::open(&site.path).unwrap();
    db.execute_batch("ALTER TABLE passkeys RENAME TO elsewhere")
        .unwrap();
    for response in [
        browser.get("/auth/passkeys").await,
        browser.log_in("ada").await,
    ] {
        assert_eq!(response.error(), (503, "store_unavailable"));
        let told = response.json.to_string().to_lowercase();
        for secret in ["passkeys", "sql", "table"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    db.execute_batch("ALTER TABLE elsewhere RENAME TO passkeys")
        .unwrap();
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
}
