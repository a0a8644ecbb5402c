//! Passkeys that are not as they were at their last use.

use crate::harness::{Site, open};
use http::StatusCode;
use hypervisor::store::{AccountStore, PasskeyStore};
use serde_json::Value;
use testkit::passkey::Backup;

/// A passkey's backup flags and counter, at one use.
#[derive(Debug, Clone, Copy)]
struct Seen {
    backup: Backup,
    counter: u32,
}

fn seen(eligible: bool, done: bool, counter: u32) -> Seen {
    Seen {
        backup: Backup { eligible, done },
        counter,
    }
}

/// Whether such a passkey is refused, or else whether its change is told.
async fn outcome(before: Seen, after: Seen) -> (u16, Option<String>) {
    let site = Site::new(&open()).await;
    let mut browser = site.browser();
    browser.keys.backup = before.backup;
    browser.keys.counts = before.counter > 0;
    browser.register("ada").await;
    if before.counter > 0 {
        browser.keys.count_from(before.counter - 1);
        assert_eq!(browser.log_in("ada").await.status, StatusCode::OK);
    }
    browser.keys.backup = after.backup;
    browser.keys.counts = false;
    browser.keys.count_from(after.counter);
    let reply = browser.log_in("ada").await;
    let status = reply.status.as_u16();
    if status != 200 {
        return (status, Some(reply.error().1.to_owned()));
    }
    let ada = site.store.user_by_name("ada").unwrap().unwrap();
    let passkey = &site.store.passkeys_of(ada.id).unwrap()[0];
    assert_eq!(passkey.counter, after.counter, "it is kept as it is now");
    let credential: Value = serde_json::from_str(&passkey.credential).unwrap();
    let credential = &credential["cred"];
    assert_eq!(credential["backup_eligible"], after.backup.eligible);
    assert_eq!(credential["backup_state"], after.backup.done);
    let audit = browser.get("/auth/audit").await.json;
    let told = audit.as_array().unwrap().iter();
    let mut told = told.filter(|entry| entry["event"] == "passkey_changed");
    let told = told
        .next()
        .map(|entry| entry["detail"].as_str().unwrap().to_owned());
    (200, told)
}

#[tokio::test]
async fn one_that_is_synced_may_change_and_one_that_is_not_may_not() {
    let refused = |code: &str| (401, Some(code.to_owned()));
    let told = |words: &str| (200, Some(format!("Passkey 1: {words}")));
    let now = "it can be synced now";
    let no_more = "it can no longer be synced";
    for (before, after, expected) in [
        // One device's.
        (seen(false, false, 5), seen(false, false, 6), (200, None)),
        (seen(false, false, 0), seen(false, false, 0), (200, None)),
        (seen(false, false, 0), seen(false, false, 9), (200, None)),
        (
            seen(false, false, 5),
            seen(false, false, 5),
            refused("passkey_changed"),
        ),
        (
            seen(false, false, 5),
            seen(false, false, 4),
            refused("passkey_changed"),
        ),
        (
            seen(false, false, 5),
            seen(false, false, 0),
            refused("passkey_changed"),
        ),
        // A password manager's.
        (seen(true, false, 0), seen(true, true, 0), (200, None)),
        (seen(true, true, 0), seen(true, false, 0), (200, None)),
        (seen(true, true, 5), seen(true, true, 6), (200, None)),
        (
            seen(true, true, 5),
            seen(true, true, 5),
            told("its counter went from 5 to 5"),
        ),
        (
            seen(true, true, 5),
            seen(true, true, 2),
            told("its counter went from 5 to 2"),
        ),
        (
            seen(true, true, 5),
            seen(true, true, 0),
            told("its counter went from 5 to 0"),
        ),
        // One that became the other.
        (seen(false, false, 0), seen(true, false, 0), told(now)),
        (seen(false, false, 0), seen(true, true, 0), told(now)),
        (
            seen(false, false, 5),
            seen(true, true, 0),
            told(&format!("{now}, its counter went from 5 to 0")),
        ),
        (seen(true, true, 0), seen(false, false, 0), told(no_more)),
        (seen(true, true, 5), seen(false, false, 6), told(no_more)),
        // No authenticator has synced what cannot be synced.
        (
            seen(false, false, 0),
            seen(false, true, 0),
            refused("login_failed"),
        ),
        (
            seen(true, true, 0),
            seen(false, true, 0),
            refused("login_failed"),
        ),
    ] {
        assert_eq!(
            outcome(before, after).await,
            expected,
            "{before:?} {after:?}"
        );
    }
}
