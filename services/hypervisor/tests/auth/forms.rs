//! Passkeys and responses that are not of the form that the standard gives them.

use crate::harness::{Browser, Reply, Site, open};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

type Spoil = fn(&mut Value);

/// Changes of a response that leave its signature alone.
const SPOILT: [(&str, Spoil); 8] = [
    ("no id", |it| {
        it["id"] = "".into();
        it["rawId"] = "".into();
    }),
    ("a long id", |it| {
        let long = URL_SAFE_NO_PAD.encode([7; 1024]);
        it["id"] = long.clone().into();
        it["rawId"] = long.into();
    }),
    ("two ids", |it| {
        it["id"] = URL_SAFE_NO_PAD.encode([7; 32]).into();
    }),
    ("an id with padding", |it| {
        it["id"] = format!("{}=", it["id"].as_str().unwrap()).into();
    }),
    ("client data that is none", |it| {
        it["response"]["clientDataJSON"] = URL_SAFE_NO_PAD.encode("garbage").into();
    }),
    ("much client data", |it| {
        it["response"]["clientDataJSON"] = URL_SAFE_NO_PAD.encode([b' '; 20_000]).into();
    }),
    ("client data of two minds", |it| {
        let text = r#"{"type":"webauthn.get","challenge":"","origin":"","crossOrigin":false,"crossOrigin":false}"#;
        it["response"]["clientDataJSON"] = URL_SAFE_NO_PAD.encode(text).into();
    }),
    ("a top origin", |it| {
        let bytes = it["response"]["clientDataJSON"].as_str().unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(bytes).unwrap();
        let mut data: Value = serde_json::from_slice(&bytes).unwrap();
        data["topOrigin"] = "https://evil.example".into();
        it["response"]["clientDataJSON"] = URL_SAFE_NO_PAD.encode(data.to_string()).into();
    }),
];

async fn finish_login(browser: &mut Browser, spoil: Spoil) -> Reply {
    let start = browser
        .post("/auth/login/start", json!({ "username": "ada" }))
        .await;
    let mut response = browser.keys.get(&start.json, browser.page).unwrap();
    spoil(&mut response);
    browser.post("/auth/login/finish", response).await
}

async fn finish_registration(browser: &mut Browser, spoil: Spoil) -> Reply {
    let start = browser
        .post("/auth/register/start", json!({ "username": "bob" }))
        .await;
    let mut credential = browser.keys.create(&start.json, browser.page).unwrap();
    spoil(&mut credential);
    browser.post("/auth/register/finish", credential).await
}

#[tokio::test]
async fn what_is_not_of_the_form_of_a_passkey_neither_logs_in_nor_signs_up() {
    let site = Site::new(&open()).await;
    for (what, spoil) in SPOILT {
        let mut browser = site.browser();
        browser.keys.counts = false;
        let refused = finish_registration(&mut browser, spoil).await;
        assert_eq!(refused.error(), (400, "passkey_invalid"), "{what}");
    }
    let mut ada = site.browser();
    ada.keys.counts = false;
    ada.register("ada").await;
    for (what, spoil) in SPOILT {
        let refused = finish_login(&mut ada, spoil).await;
        assert_eq!(refused.error(), (401, "login_failed"), "{what}");
    }
    assert_eq!(finish_login(&mut ada, |_| ()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_an_authenticator_signs_is_read_to_its_last_byte() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    // Bytes, and a whole map of extensions that no flag announces.
    for trailing in [&b"x"[..], &[0xa0], &[0; 4000]] {
        ada.keys.trailing = trailing.into();
        assert_eq!(ada.log_in("ada").await.error(), (401, "login_failed"));
        let mut bob = site.browser();
        bob.keys.trailing = trailing.into();
        assert_eq!(bob.register("bob").await.error(), (400, "passkey_invalid"));
    }
    ada.keys.trailing.clear();
    assert_eq!(ada.log_in("ada").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_in_a_frame_of_another_origin_neither_logs_in_nor_signs_up() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    ada.keys.framed = true;
    assert_eq!(ada.log_in("ada").await.error(), (401, "login_failed"));
    let mut bob = site.browser();
    bob.keys.framed = true;
    assert_eq!(bob.register("bob").await.error(), (400, "passkey_invalid"));
}

#[tokio::test]
async fn names_that_look_the_same_are_one_account() {
    let site = Site::new(&open()).await;
    let mut zoe = site.member(" Zoë@Example.org ").await;
    assert_eq!(zoe.user().await.unwrap(), "zoë@example.org");
    assert_eq!(
        zoe.log_in("ZOE\u{308}@example.ORG").await.status,
        StatusCode::OK
    );
    let again = site.browser().register("zoë@EXAMPLE.org").await;
    assert_eq!(again.error(), (409, "username_taken"));
    let hidden = json!({ "username": "eve", "display_name": "evil\u{202e}evil" });
    let refused = site.browser().register_as(hidden).await;
    assert_eq!(refused.error(), (422, "invalid_name"));
    let refused = site.browser().register("evil\u{202e}evil").await;
    assert_eq!(refused.error(), (422, "invalid_username"));
    assert_eq!(
        site.browser().register("o'brien@example.org").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_flood_of_ceremonies_leaves_those_of_other_networks_alone() {
    let site = Site::new(&open()).await;
    let mut ada = site.member("ada").await;
    let start = ada
        .post("/auth/login/start", json!({ "username": "ada" }))
        .await;
    let mut flood = site.browser();
    flood.address = [192, 0, 2, 1].into();
    for _ in 0..16_500 {
        let start = flood.post("/auth/login/start", json!({})).await;
        assert_eq!(start.status, StatusCode::OK);
    }
    let response = ada.keys.get(&start.json, ada.page).unwrap();
    let finish = ada.post("/auth/login/finish", response).await;
    assert_eq!(finish.status, StatusCode::OK);
}
