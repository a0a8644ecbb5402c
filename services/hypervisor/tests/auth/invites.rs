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
async fn only_an_admin_invites_and_ordinary_users_unless_they_say_so() {
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

#[tokio::test]
async fn an_invite_for_a_name_lets_in_whoever_spells_it_so_or_otherwise() {
    let site = Site::new(&invite_only()).await;
    let bound = |name: &str| NewInvite {
        username: Some(name.to_owned()),
        ..NewInvite::default()
    };
    let invite = site.auth.invite(bound(" ADA@Example.org ")).await.unwrap();
    assert_eq!(invite.username.as_deref(), Some("ada@example.org"));
    let other = site.browser().register_as(with("bob", &invite.url)).await;
    assert_eq!(other.error(), (403, "invite_bound"));
    let mut ada = site.browser();
    let spelled = with("Ada@EXAMPLE.org", &invite.url);
    assert_eq!(ada.register_as(spelled).await.status, StatusCode::OK);
    let again = site.auth.invite(bound("Ada@example.org")).await;
    assert!(matches!(again, Err(AuthError::AccountExists(_))));
    let hidden = site.auth.invite(bound("a\u{2066}b")).await;
    assert!(matches!(hidden, Err(AuthError::InvalidUsername)));
    for hours in [0, 8761, u64::MAX] {
        let new = NewInvite {
            hours: Some(hours),
            ..NewInvite::default()
        };
        let refused = site.auth.invite(new).await;
        assert!(matches!(refused, Err(AuthError::InvalidHours)), "{hours}");
    }
}

#[tokio::test]
async fn invites_are_listed_with_what_became_of_them_and_can_be_revoked_while_they_are_good() {
    let site = Site::new(&invite_only()).await;
    let first = site.auth.invite(for_anybody(true)).await.unwrap();
    let mut ada = site.browser();
    ada.register_as(with("ada", &first.url)).await;
    let params = json!({ "username": "Bob", "hours": 2, "admin": true });
    let second = ada.act("invite", params).await;
    assert_eq!(second.text("username"), "bob");
    let begun = site
        .browser()
        .register_as(with("x", second.text("url")))
        .await;
    assert_eq!(begun.error(), (403, "invite_bound"));
    // A registration that is under way when it is revoked.
    let mut bob = site.browser();
    let form = with("bob", second.text("url"));
    let start = bob.post("/auth/register/start", form.clone()).await;
    let credential = bob.keys.create(&start.json, bob.page).unwrap();
    let revoke = json!({ "invite_id": second.json["id"] });
    let revoked = ada.act("revoke_invite", revoke.clone()).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    let late = bob.post("/auth/register/finish", credential).await;
    assert_eq!(late.error(), (403, "invite_invalid"));
    let late = bob.register_as(form).await;
    assert_eq!(late.error(), (403, "invite_invalid"));

    let third = ada.act("invite", json!({})).await;
    let db = rusqlite::Connection::open(&site.path).unwrap();
    db.execute("UPDATE invites SET expires_at = created_at + 1 WHERE used_at IS NULL AND revoked_at IS NULL", [])
        .unwrap();
    for (id, why) in [
        (json!(first.id), "has an account by it"),
        (second.json["id"].clone(), "revoked before"),
        (third.json["id"].clone(), "ended by itself"),
    ] {
        let refused = ada.act("revoke_invite", json!({ "invite_id": id })).await;
        assert_eq!(refused.error(), (409, "invite_ended"));
        assert!(refused.text("message").contains(why), "{refused:?}");
    }
    let nothing = json!({ "invite_id": uuid::Uuid::nil() });
    let refused = ada.act("revoke_invite", nothing).await;
    assert_eq!(refused.error(), (404, "no_invite"));
    let list = ada.get("/api/invites").await.json;
    let told = list.as_array().unwrap().iter().map(|it| {
        let text = |key: &str| it[key].as_str().unwrap_or("-").to_owned();
        [
            text("state"),
            text("username"),
            text("created_by"),
            text("used_by"),
        ]
    });
    let expected = [
        ["expired", "-", "ada", "-"],
        ["revoked", "bob", "ada", "-"],
        ["used", "-", "-", "ada"],
    ];
    assert_eq!(
        told.collect::<Vec<_>>(),
        expected.map(|it| it.map(String::from))
    );
}
