//! Invites: one person, once, for a while.

use crate::harness::{Browser, ORIGIN, Site, open};
use http::StatusCode;
use hypervisor::auth::AuthError;
use hypervisor::auth::NewInvite;
use hypervisor::config::{Config, Registration};
use hypervisor::store::AccountStore;
use serde_json::{Value, json};

fn for_anybody(admin: bool) -> NewInvite {
    NewInvite {
        admin,
        ..NewInvite::default()
    }
}

fn invite_only() -> Config {
    Config {
        registration: Registration::Invite,
        ..open()
    }
}

fn with(username: &str, url: &str) -> Value {
    let (page, token) = url.split_once("?invite=").unwrap();
    assert_eq!(page, format!("{ORIGIN}/register"));
    json!({ "username": username, "invite": token })
}

#[tokio::test]
async fn signing_up_takes_an_invite_that_is_good() {
    let site = Site::new(&invite_only()).await;
    let mut browser = site.browser();
    assert_eq!(browser.me().await["registration"], "invite");
    assert_eq!(
        browser.register("ada").await.error(),
        (403, "invite_required")
    );
    let blank = json!({ "username": "ada", "invite": " " });
    assert_eq!(
        browser.register_as(blank).await.error(),
        (403, "invite_required")
    );
    for invite in ["x".to_owned(), "A".repeat(43)] {
        let body = json!({ "username": "ada", "invite": invite });
        assert_eq!(
            browser.register_as(body).await.error(),
            (403, "invite_invalid")
        );
    }

    let invite = site.auth.invite(for_anybody(true)).await.unwrap();
    let db = rusqlite::Connection::open(&site.path).unwrap();
    db.execute("UPDATE invites SET expires_at = 1", []).unwrap();
    let late = browser.register_as(with("ada", &invite.url)).await;
    assert_eq!(late.error(), (403, "invite_invalid"));
    assert!(site.store.users().unwrap().is_empty());
}

#[tokio::test]
async fn an_invite_is_used_up_by_one_account_and_makes_an_admin_only_if_it_says_so() {
    let site = Site::new(&invite_only()).await;
    for (username, admin) in [("ada", true), ("bob", false)] {
        let invite = site.auth.invite(for_anybody(admin)).await.unwrap();
        let mut browser = site.browser();
        let response = browser.register_as(with(username, &invite.url)).await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(browser.me().await["admin"], admin);
        let again = site.browser().register_as(with("cyd", &invite.url)).await;
        assert_eq!(again.error(), (403, "invite_invalid"));
    }
}

#[tokio::test]
async fn a_registration_that_fails_leaves_the_invite_good() {
    let site = Site::new(&invite_only()).await;
    let invite = site.auth.invite(for_anybody(false)).await.unwrap();
    let mut lax = site.browser();
    lax.keys.verifies_user = false;
    let response = lax.register_as(with("ada", &invite.url)).await;
    assert_eq!(response.error(), (400, "passkey_invalid"));
    let response = site.browser().register_as(with("ada", &invite.url)).await;
    assert_eq!(response.status, StatusCode::OK);
}

#[tokio::test]
async fn of_two_who_race_with_one_invite_exactly_one_gets_in() {
    let site = Site::new(&invite_only()).await;
    let invite = site.auth.invite(for_anybody(true)).await.unwrap();
    let race = async |mut browser: Browser, username| {
        browser
            .register_as(with(username, &invite.url))
            .await
            .status
    };
    let (one, two) = tokio::join!(race(site.browser(), "ada"), race(site.browser(), "bob"));
    let mut statuses = [one, two];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::FORBIDDEN]);
    assert_eq!(site.store.users().unwrap().len(), 1);
}

#[tokio::test]
async fn only_an_admin_invites_and_only_ordinary_users() {
    let site = Site::new(&invite_only()).await;
    let invite = site.auth.invite(for_anybody(true)).await.unwrap();
    let mut admin = site.browser();
    admin.register_as(with("ada", &invite.url)).await;
    let invite = admin.act("invite", json!({})).await;
    assert_eq!(invite.status, StatusCode::OK);
    assert!(invite.text("expires_at").ends_with('Z'));
    let mut user = site.browser();
    user.register_as(with("bob", invite.text("url"))).await;
    assert_eq!(user.me().await["admin"], false);
    assert_eq!(
        user.act("invite", json!({})).await.error(),
        (403, "admin_only")
    );
    let stranger = site.browser().post("/auth/invites", json!({})).await;
    assert_eq!(stranger.error(), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_closed_server_gives_no_invite_that_nobody_could_use() {
    let config = Config {
        registration: Registration::Closed,
        ..open()
    };
    let site = Site::new(&config).await;
    let refusal = site.auth.invite(for_anybody(true)).await.unwrap_err();
    assert!(matches!(refusal, AuthError::RegistrationClosed));
}
