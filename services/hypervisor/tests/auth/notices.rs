//! Who did not change it themselves hears at their next visit who gets into their account.

use crate::harness::{Browser, Site, open};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::passkey::Authenticator;

async fn notices(browser: &mut Browser) -> Vec<(String, String)> {
    let me = browser.me().await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let notices = me["notices"].as_array().unwrap().iter();
    notices
        .map(|notice| (text(&notice["event"]), text(&notice["detail"])))
        .collect()
}

async fn see(browser: &mut Browser) {
    let me = browser.me().await;
    let last = &me["notices"].as_array().unwrap().last().unwrap()["id"];
    let seen = browser.post("/auth/notices/seen", json!({ "last": last }));
    assert_eq!(seen.await.status, StatusCode::NO_CONTENT);
}

fn said(event: &str, detail: &str) -> (String, String) {
    (event.to_owned(), detail.to_owned())
}

#[tokio::test]
async fn each_other_passkey_is_told_until_its_owner_has_seen_it() {
    let site = Site::new(&open()).await;
    let mut laptop = site.member("ada").await;
    let mut phone = site.browser();
    laptop.add_passkey(&mut phone.keys, "Phone").await;
    phone.log_in("ada").await;
    assert!(notices(&mut laptop).await.is_empty(), "they did it");
    assert!(notices(&mut phone).await.is_empty(), "that passkey is new");

    laptop.add_passkey(&mut Authenticator::new(), "Key").await;
    laptop.act("renew_recovery_codes", json!({})).await;
    let both = [
        said("passkey_added", "Key"),
        said("recovery_codes_renewed", ""),
    ];
    assert_eq!(notices(&mut phone).await, both);
    phone.log_in("ada").await;
    assert_eq!(notices(&mut phone).await, both, "a log-in shows nothing");
    assert!(notices(&mut laptop).await.is_empty());

    see(&mut phone).await;
    assert!(notices(&mut phone).await.is_empty());
    let passkeys = laptop.get("/auth/passkeys").await.json;
    let key = json!({ "passkey_id": passkeys[2]["id"] });
    laptop.act("remove_passkey", key).await;
    assert_eq!(notices(&mut phone).await, [said("passkey_removed", "Key")]);
}

#[tokio::test]
async fn a_stranger_who_got_in_is_told_of_and_cannot_see_it_for_others() {
    let site = Site::new(&open()).await;
    let mut ada = site.browser();
    let codes = ada.register("ada").await.json["recovery_codes"].clone();
    let mut eve = site.browser();
    let code = json!({ "username": "ada", "code": codes[0] });
    eve.post("/auth/recovery", code).await;
    let mut keys = Authenticator::new();
    eve.add_passkey(&mut keys, "Mine").await;
    eve.keys = keys;
    eve.log_in("ada").await;
    let last = json!({ "last": i64::MAX });
    eve.post("/auth/notices/seen", last).await;
    assert!(notices(&mut eve).await.is_empty());

    // Also in a session that began after that.
    assert_eq!(notices(&mut ada).await, [said("passkey_added", "Mine")]);
    ada.post("/auth/logout", json!({})).await;
    ada.log_in("ada").await;
    assert_eq!(notices(&mut ada).await, [said("passkey_added", "Mine")]);

    // What comes later is told, whatever was said to be seen.
    ada.post("/auth/notices/seen", json!({ "last": i64::MAX }))
        .await;
    assert!(notices(&mut ada).await.is_empty());
    eve.act("renew_recovery_codes", json!({})).await;
    assert_eq!(notices(&mut ada).await.len(), 1);
    let mut bob = site.member("bob").await;
    assert!(notices(&mut bob).await.is_empty());
}
