//! Signing up, and what it can never do.

use crate::harness::{Browser, ORIGIN, Site, open};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use hypervisor::config::Registration;
use hypervisor::store::{AccountStore, PasskeyStore};
use serde_json::json;

#[tokio::test]
async fn signing_up_gives_ten_codes_and_a_session() {
    let site = Site::new(&open()).await;
    let mut browser = site.browser();
    let body = json!({ "username": " Ada@Example.org ", "display_name": "Ada" });
    let response = browser.register_as(body).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.text("username"), "ada@example.org");
    assert_eq!(
        response.json["recovery_codes"].as_array().unwrap().len(),
        10
    );
    assert_eq!(response.json["is_first_passkey"], true);
    let me = browser.me().await;
    assert_eq!(me["user_id"], response.json["user_id"]);
    assert_eq!(me["display_name"], "Ada");
    assert_eq!(me["kind"], "full");
    assert_eq!(me["admin"], false);
    assert_eq!(me["recovery_codes_left"], 10);
}

#[tokio::test]
async fn options_ask_for_user_verification_and_a_resident_key() {
    let site = Site::new(&open()).await;
    let mut browser = site.browser();
    let start = browser
        .post("/auth/register/start", json!({ "username": "ada" }))
        .await;
    let options = &start.json["publicKey"];
    assert_eq!(
        options["authenticatorSelection"]["userVerification"],
        "required"
    );
    assert_eq!(
        options["authenticatorSelection"]["residentKey"],
        "preferred"
    );
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["timeout"], 300_000);
}

#[tokio::test]
async fn nothing_is_written_before_the_finish() {
    let site = Site::new(&open()).await;
    let mut browser = site.browser();
    browser
        .post("/auth/register/start", json!({ "username": "ada" }))
        .await;
    assert!(site.store.users().unwrap().is_empty());
    assert_eq!(browser.user().await, None);
}

#[tokio::test]
async fn a_stranger_gets_nothing_on_an_existing_account() {
    let site = Site::new(&open()).await;
    site.member("ada").await;
    let ada = site.store.user_by_name("ada").unwrap().unwrap();
    let before = site.store.passkeys_of(ada.id).unwrap();
    for name in ["ada", "ADA", " ada "] {
        let mut stranger = site.browser();
        let response = stranger.register(name).await;
        assert_eq!(response.error(), (409, "username_taken"));
        assert!(stranger.cookies.is_empty());
        let finish = stranger.post("/auth/register/finish", json!({})).await;
        assert_eq!(finish.error(), (400, "bad_request"));
    }
    assert_eq!(site.store.passkeys_of(ada.id).unwrap(), before);
    assert_eq!(site.store.users().unwrap(), [ada]);
}

#[tokio::test]
async fn a_registration_begun_before_the_name_was_taken_gets_nothing() {
    let site = Site::new(&open()).await;
    let mut stranger = site.browser();
    let body = json!({ "username": "ada" });
    let start = stranger.post("/auth/register/start", body).await;
    let credential = stranger.keys.create(&start.json, ORIGIN).unwrap();
    let mut owner = site.member("ada").await;
    let response = stranger.post("/auth/register/finish", credential).await;
    assert_eq!(response.error(), (409, "username_taken"));
    assert_eq!(stranger.user().await, None);
    let ada = site.store.user_by_name("ada").unwrap().unwrap();
    assert_eq!(site.store.passkeys_of(ada.id).unwrap().len(), 1);
    assert_eq!(owner.log_in("ada").await.status, StatusCode::OK);
}

#[tokio::test]
async fn of_two_racing_registrations_of_one_name_exactly_one_wins() {
    let site = Site::new(&open()).await;
    for round in 0..10 {
        let name = format!("user{round}");
        let race = async |mut browser: Browser| {
            let response = browser.register(&name).await;
            (browser, response)
        };
        let ((mut one, first), (mut two, second)) =
            tokio::join!(race(site.browser()), race(site.browser()));
        let mut statuses = [first.status, second.status];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
        let winner = site.store.user_by_name(&name).unwrap().unwrap();
        assert_eq!(site.store.passkeys_of(winner.id).unwrap().len(), 1);
        let users = [one.user().await, two.user().await];
        assert_eq!(users.iter().flatten().count(), 1, "one session");
    }
}

#[tokio::test]
async fn a_passkey_that_does_not_verify_its_user_or_our_origin_is_refused() {
    let site = Site::new(&open()).await;
    let mut lax = site.browser();
    lax.keys.verifies_user = false;
    assert_eq!(lax.register("ada").await.error(), (400, "passkey_invalid"));

    let mut phished = site.browser();
    phished.page = "http://localhost.evil.example";
    assert_eq!(
        phished.register("ada").await.error(),
        (400, "passkey_invalid")
    );

    let mut other_port = site.browser();
    other_port.page = "http://localhost:9091";
    assert_eq!(
        other_port.register("ada").await.error(),
        (400, "passkey_invalid")
    );
    assert!(site.store.users().unwrap().is_empty());
}

#[tokio::test]
async fn bad_names_are_refused_with_the_mend() {
    let site = Site::new(&open()).await;
    let mut browser = site.browser();
    for name in ["", "a b", "<script>"] {
        let response = browser.register(name).await;
        assert_eq!(response.error(), (422, "invalid_username"), "{name}");
    }
    let body = json!({ "username": "ada", "display_name": "a\u{0}" });
    assert_eq!(
        browser.register_as(body).await.error(),
        (422, "invalid_name")
    );
    for body in [json!({}), json!([]), json!({ "username": 1 })] {
        assert_eq!(
            browser.register_as(body).await.error(),
            (400, "bad_request")
        );
    }
    let long = json!({ "username": "a".repeat(70_000) });
    assert_eq!(
        browser.register_as(long).await.error(),
        (413, "bad_request")
    );
}

#[tokio::test]
async fn a_credential_belongs_to_one_account() {
    let site = Site::new(&open()).await;
    let ada = site.member("ada").await;
    let mut thief = site.browser();
    let body = json!({ "username": "bob" });
    let start = thief.post("/auth/register/start", body).await;
    // The id of a credential is its authenticator's to choose: here ada's.
    let mut credential = thief.keys.create(&start.json, ORIGIN).unwrap();
    let object = credential["response"]["attestationObject"]
        .as_str()
        .unwrap();
    let id = credential["id"].as_str().unwrap();
    let known = site.store.users().unwrap()[0].id;
    let known = site.store.passkeys_of(known).unwrap()[0]
        .credential_id
        .clone();
    credential["response"]["attestationObject"] = with_id(object, id, &known).into();
    for id in ["id", "rawId"] {
        credential[id] = URL_SAFE_NO_PAD.encode(&known).into();
    }
    let response = thief.post("/auth/register/finish", credential).await;
    assert_eq!(response.error(), (409, "passkey_taken"));
    assert_eq!(site.store.users().unwrap().len(), 1);
    drop(ada);
}

/// An attestation object with another credential id of the same length.
fn with_id(object: &str, old: &str, new: &[u8]) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(object).unwrap();
    let old = URL_SAFE_NO_PAD.decode(old).unwrap();
    let mut places = bytes.windows(old.len());
    let at = places.position(|window| window == old).unwrap();
    bytes[at..at + new.len()].copy_from_slice(new);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_closed_server_registers_nobody() {
    let mut config = open();
    config.registration = Registration::Closed;
    let site = Site::new(&config).await;
    let mut browser = site.browser();
    assert_eq!(browser.me().await["registration"], "closed");
    let response = browser.register("ada").await;
    assert_eq!(response.error(), (403, "registration_closed"));
}

#[tokio::test]
async fn who_was_logged_in_before_is_not_afterwards() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let before = browser.clone();
    browser.register("bob").await;
    assert_eq!(browser.user().await.as_deref(), Some("bob"));
    assert_eq!(before.clone().user().await, None);
}
