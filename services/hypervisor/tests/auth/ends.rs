//! What a session has opened is told of its end, whatever ends it.

use crate::harness::{Browser, Site, open};
use http::StatusCode;
use hypervisor::lifetime::Lifetimes;
use serde_json::json;
use testkit::passkey::Authenticator;

/// What a stream of this browser's holds.
async fn opened(browser: &Browser) -> Lifetimes {
    let session = browser.auth.find_session(&browser.headers()).await.unwrap();
    Lifetimes {
        session: Some(session.unwrap().lifetime.clone()),
        access: None,
    }
}

#[tokio::test]
async fn at_log_out_and_at_a_log_in_that_replaces_it() {
    let site = Site::new(&open()).await;
    let mut ends = site.auth.end_notifier().subscribe();
    let mut browser = site.member("ada").await;
    let first = opened(&browser).await;
    browser.log_in("ada").await;
    assert!(first.are_ended() && ends.has_changed().unwrap());
    ends.mark_unchanged();
    let second = opened(&browser).await;
    let left = browser.post("/auth/logout", json!({})).await;
    assert_eq!(left.headers["clear-site-data"], "\"cache\"");
    assert!(second.are_ended() && ends.has_changed().unwrap());
}

#[tokio::test]
async fn at_the_removal_of_the_passkey_that_opened_it() {
    let site = Site::new(&open()).await;
    let mut laptop = site.member("ada").await;
    let mut keys = Authenticator::new();
    let added = laptop.add_passkey(&mut keys, "Phone").await;
    let mut phone = laptop.clone();
    phone.cookies.clear();
    phone.keys = keys;
    phone.log_in("ada").await;
    let (here, there) = (opened(&laptop).await, opened(&phone).await);
    let phones = json!({ "passkey_id": added.json["id"] });
    let removed = laptop.act("remove_passkey", phones).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(there.are_ended() && !here.are_ended());
}
