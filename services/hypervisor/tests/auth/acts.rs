//! Sensitive acts: each takes a passkey for that very act.

use crate::harness::{Browser, Reply, Site, open};
use http::{Method, StatusCode};
use hypervisor::config::Origins;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::passkey::Authenticator;

/// Every act, with parameters of this person's own.
async fn every_act(browser: &mut Browser) -> Vec<Value> {
    let passkeys = browser.get("/auth/passkeys").await.json;
    let passkey = &passkeys[0]["id"];
    let user = browser.me().await["user_id"].clone();
    vec![
        json!({ "act": "add_passkey", "name": "Phone" }),
        json!({ "act": "rename_passkey", "passkey_id": passkey, "name": "Laptop" }),
        json!({ "act": "remove_passkey", "passkey_id": passkey }),
        json!({ "act": "renew_recovery_codes" }),
        json!({ "act": "invite" }),
        json!({ "act": "end_other_sessions" }),
        json!({ "act": "swap", "user_id": user }),
    ]
}

async fn start(browser: &mut Browser, act: &Value) -> Reply {
    browser.post("/auth/acts/start", act.clone()).await
}

fn answer(browser: &mut Browser, started: &Reply) -> Value {
    let options = json!({ "publicKey": started.json["publicKey"] });
    let page = browser.page;
    let credential = browser.keys.get(&options, page).unwrap();
    json!({ "id": started.json["id"], "credential": credential })
}

async fn finish(browser: &mut Browser, answer: Value) -> Reply {
    browser.post("/auth/acts/finish", answer).await
}

/// An admin with a second passkey and a second session, so that each act could be done.
async fn ada(site: &Site) -> Browser {
    let mut browser = site.member("ada").await;
    let mut keys = Authenticator::new();
    browser.add_passkey(&mut keys, "Second").await;
    browser
}

#[tokio::test]
async fn an_answer_is_good_once_and_for_its_own_act_alone() {
    let site = Site::new(&open()).await;
    let mut browser = ada(&site).await;
    for act in every_act(&mut browser).await {
        let started = start(&mut browser, &act).await;
        if started.status != StatusCode::OK {
            continue; // Not one of this person's.
        }
        let other = start(&mut browser, &json!({ "act": "renew_recovery_codes" })).await;
        // An answer to another act's challenge.
        let mut mixed = answer(&mut browser, &other);
        mixed["id"] = started.json["id"].clone();
        let refused = finish(&mut browser, mixed).await;
        assert_eq!(refused.error(), (403, "not_confirmed"), "{act}");
        // Its own comes too late after that: one answer is all that an act waits for.
        let own = answer(&mut browser, &started);
        let refused = finish(&mut browser, own).await;
        assert_eq!(refused.error(), (400, "ceremony_invalid"), "{act}");
    }
    let started = start(&mut browser, &json!({ "act": "renew_recovery_codes" })).await;
    let own = answer(&mut browser, &started);
    assert_eq!(
        finish(&mut browser, own.clone()).await.status,
        StatusCode::OK
    );
    let again = finish(&mut browser, own).await;
    assert_eq!(again.error(), (400, "ceremony_invalid"));
}

#[tokio::test]
async fn nobody_and_nothing_else_answers_for_an_act() {
    let site = Site::new(&open()).await;
    let mut browser = ada(&site).await;
    let mut bob = site.member("bob").await;
    let act = json!({ "act": "renew_recovery_codes" });

    // Another session, though the same person's.
    let started = start(&mut browser, &act).await;
    let own = answer(&mut browser, &started);
    let mut elsewhere = browser.clone();
    elsewhere.cookies.clear();
    elsewhere.log_in("ada").await;
    let refused = finish(&mut elsewhere, own).await;
    assert_eq!(refused.error(), (400, "ceremony_invalid"));

    // Another person's passkey.
    let started = start(&mut browser, &act).await;
    let options = json!({ "publicKey": started.json["publicKey"] });
    let credential = bob.keys.get_with(0, &options, browser.page).unwrap();
    let theirs = json!({ "id": started.json["id"], "credential": credential });
    let refused = finish(&mut browser, theirs).await;
    assert_eq!(refused.error(), (403, "not_confirmed"));

    // A page of a sandbox, whose domain fits.
    let started = start(&mut browser, &act).await;
    let options = json!({ "publicKey": started.json["publicKey"] });
    let page = "http://sandbox.localhost:9090";
    let credential = browser.keys.get(&options, page).unwrap();
    let foreign = json!({ "id": started.json["id"], "credential": credential });
    let refused = finish(&mut browser, foreign).await;
    assert_eq!(refused.error(), (403, "not_confirmed"));

    // An authenticator that asked for no PIN.
    let started = start(&mut browser, &act).await;
    browser.keys.verifies_user = false;
    let unverified = answer(&mut browser, &started);
    let refused = finish(&mut browser, unverified).await;
    assert_eq!(refused.error(), (403, "not_confirmed"));
}

#[tokio::test]
async fn an_act_waits_for_a_while_only() {
    let site = Site::with_acts_lasting(&open(), Duration::ZERO).await;
    let mut browser = site.member("ada").await;
    let started = start(&mut browser, &json!({ "act": "renew_recovery_codes" })).await;
    let late = answer(&mut browser, &started);
    let refused = finish(&mut browser, late).await;
    assert_eq!(refused.error(), (400, "ceremony_invalid"));
}

#[tokio::test]
async fn the_old_ways_lead_to_no_act() {
    let site = Site::new(&open()).await;
    let mut browser = ada(&site).await;
    let passkeys = browser.get("/auth/passkeys").await.json;
    let passkey = format!("/auth/passkeys/{}", passkeys[0]["id"].as_str().unwrap());
    let user = browser.me().await["user_id"].clone();
    let swap = format!("/admin/sandboxes/{}/swap", user.as_str().unwrap());
    for (method, path) in [
        (Method::PATCH, &*passkey),
        (Method::DELETE, &passkey),
        (Method::POST, "/auth/passkeys/start"),
        (Method::POST, "/auth/recovery/codes"),
        (Method::POST, "/auth/invites"),
        (Method::POST, &swap),
    ] {
        let body = json!({ "name": "mine" });
        let refused = browser.call(method.clone(), path, body).await;
        assert_eq!(
            refused.error(),
            (403, "passkey_required"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn where_a_script_could_ask_a_browser_gets_no_challenge() {
    let mut config = open();
    config.origins = Origins::Shared;
    let site = Site::new(&config).await;
    let mut browser = site.member("ada").await;
    let act = json!({ "act": "renew_recovery_codes" });
    let started = start(&mut browser, &act).await;
    assert_eq!(started.status, StatusCode::OK);
    assert_eq!(started.json["publicKey"], Value::Null);
    assert!(started.text("confirm").starts_with("/auth/acts/"));
    // A program sends neither header.
    let started = browser
        .send(Method::POST, "/auth/acts/start", &act, &[])
        .await;
    assert!(
        started.json["publicKey"]["challenge"].is_string(),
        "{started:?}"
    );
}

/// How a browser opens a page in a tab.
const NAVIGATION: [(&str, &str); 3] = [
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "same-origin"),
];

async fn shared() -> (Site, Browser) {
    let mut config = open();
    config.origins = Origins::Shared;
    let site = Site::new(&config).await;
    let mut browser = site.browser();
    browser.keys.counts = false;
    browser.register("ada").await;
    (site, browser)
}

/// What the page at this path carries for its script.
async fn page_data(browser: &mut Browser, path: &str) -> (Reply, Value) {
    let page = browser
        .send(Method::GET, path, &Value::Null, &NAVIGATION)
        .await;
    let data = page.body.split_once("id=\"act\">").unwrap().1;
    let data = data.split_once("</script>").unwrap().0;
    let data = serde_json::from_str(data).unwrap();
    (page, data)
}

#[tokio::test]
async fn with_a_shared_origin_only_the_page_in_a_tab_has_the_challenge() {
    let (_site, mut browser) = shared().await;
    let act = json!({ "act": "renew_recovery_codes" });
    for header in [
        ("origin", "http://localhost:9090"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-user", "?1"),
    ] {
        let started = browser
            .send(Method::POST, "/auth/acts/start", &act, &[header])
            .await;
        assert_eq!(started.status, StatusCode::OK);
        assert!(!started.body.contains("challenge"), "{header:?}");
    }
    let started = start(&mut browser, &act).await;
    let path = started.text("confirm").to_owned();
    for (name, value) in [
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-site", "cross-site"),
        ("sec-purpose", "prefetch;prerender"),
    ] {
        let mut headers = NAVIGATION.to_vec();
        headers.retain(|(other, _)| *other != name);
        headers.push((name, value));
        let refused = browser
            .send(Method::GET, &path, &Value::Null, &headers)
            .await;
        assert_eq!(refused.error(), (403, "navigation_only"), "{name}: {value}");
        assert!(!refused.body.contains("challenge"));
    }
    let program = browser.get(&path).await;
    assert_eq!(program.error(), (403, "navigation_only"));

    let (page, data) = page_data(&mut browser, &path).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        page.headers["cross-origin-opener-policy"],
        "noopener-allow-popups"
    );
    assert_eq!(page.headers["cache-control"], "no-store");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(
        (&data["username"], &data["summary"]),
        (&json!("ada"), &started.json["summary"])
    );
    let options = json!({ "publicKey": data["publicKey"] });
    let credential = browser.keys.get(&options, browser.page).unwrap();
    let done = browser.finish(&started, &credential).await;
    assert_eq!(done.json["recovery_codes"].as_array().unwrap().len(), 10);
    let (page, data) = page_data(&mut browser, &path).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(data["error"].as_str().unwrap().contains("start again"));
}

#[tokio::test]
async fn the_page_of_an_act_is_its_own_sessions() {
    let (site, mut browser) = shared().await;
    let started = start(&mut browser, &json!({ "act": "renew_recovery_codes" })).await;
    let path = started.text("confirm").to_owned();
    let mut elsewhere = browser.clone();
    elsewhere.cookies.clear();
    let (page, data) = page_data(&mut elsewhere, &path).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(data["publicKey"].is_null());
    // The same person's, and somebody else's.
    browser.cookies.clear();
    browser.log_in("ada").await;
    for mut other in [browser, site.member("bob").await] {
        let (page, data) = page_data(&mut other, &path).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(data["publicKey"].is_null());
    }
}

#[tokio::test]
async fn with_a_shared_origin_who_lost_their_passkeys_makes_one_on_the_page_alone() {
    let (site, mut ada) = shared().await;
    let mut lost = site.browser();
    let started = start(&mut ada, &json!({ "act": "renew_recovery_codes" })).await;
    let path = started.text("confirm").to_owned();
    let (_, data) = page_data(&mut ada, &path).await;
    let options = json!({ "publicKey": data["publicKey"] });
    let credential = ada.keys.get(&options, ada.page).unwrap();
    let codes = ada.finish(&started, &credential).await;
    let code = json!({ "username": "ada", "code": codes.json["recovery_codes"][0] });
    lost.post("/auth/recovery", code).await;

    let begun = lost.post("/auth/passkeys/start", json!({})).await;
    assert!(!begun.body.contains("challenge"), "{begun:?}");
    let path = begun.text("confirm").to_owned();
    let (_, data) = page_data(&mut lost, &path).await;
    let options = json!({ "publicKey": data["create"] });
    let credential = lost.keys.create(&options, lost.page).unwrap();
    let added = lost.post("/auth/passkeys/finish", credential).await;
    assert_eq!(added.status, StatusCode::OK, "{added:?}");
    assert_eq!(lost.log_in("ada").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_page_is_below_the_prefix_of_the_gateways_pages() {
    let mut config = open();
    config.origins = Origins::Shared;
    config.gateway_prefix = Some("/.choiros".into());
    let site = Site::new(&config).await;
    let mut browser = site.member("ada").await;
    let started = start(&mut browser, &json!({ "act": "renew_recovery_codes" })).await;
    let path = started.text("confirm");
    assert!(path.starts_with("/.choiros/auth/acts/"), "{path}");
}

#[tokio::test]
async fn nothing_about_an_act_can_be_changed_at_its_finish() {
    let site = Site::new(&open()).await;
    let mut browser = ada(&site).await;
    let passkeys = browser.get("/auth/passkeys").await.json;
    let rename = json!({ "act": "rename_passkey", "passkey_id": passkeys[0]["id"], "name": "A" });
    let started = start(&mut browser, &rename).await;
    let mut changed = answer(&mut browser, &started);
    changed["name"] = "B".into();
    let refused = finish(&mut browser, changed).await;
    assert_eq!(refused.error(), (400, "bad_request"));
    assert_eq!(browser.get("/auth/passkeys").await.json, passkeys);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_finishes_that_race_one_does_the_act() {
    let site = Site::new(&open()).await;
    let mut browser = ada(&site).await;
    for _ in 0..10 {
        let started = start(&mut browser, &json!({ "act": "renew_recovery_codes" })).await;
        let own = answer(&mut browser, &started);
        let (mut one, mut two) = (browser.clone(), browser.clone());
        let (first, second) = (own.clone(), own);
        let first = tokio::spawn(async move { finish(&mut one, first).await.status });
        let second = tokio::spawn(async move { finish(&mut two, second).await.status });
        let mut statuses = [first.await.unwrap(), second.await.unwrap()];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::BAD_REQUEST]);
    }
    let log = browser.get("/auth/audit").await.json;
    let renewed = log.as_array().unwrap().iter();
    let renewed = renewed.filter(|row| row["event"] == "recovery_codes_renewed");
    let by: Vec<_> = renewed.map(|row| &row["passkey"]).collect();
    assert_eq!(by, ["Passkey 1"; 10]);
}

#[tokio::test]
async fn an_act_ends_with_its_session() {
    let site = Site::new(&open()).await;
    let mut browser = ada(&site).await;
    let act = json!({ "act": "renew_recovery_codes" });
    let started = start(&mut browser, &act).await;
    let own = answer(&mut browser, &started);
    let before = browser.clone();
    browser.post("/auth/logout", json!({})).await;
    let refused = finish(&mut before.clone(), own.clone()).await;
    assert_eq!(refused.error(), (401, "unauthenticated"));
    browser.log_in("ada").await;
    let refused = finish(&mut browser, own).await;
    assert_eq!(refused.error(), (400, "ceremony_invalid"));
}
