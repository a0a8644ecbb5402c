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
