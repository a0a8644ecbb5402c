//! What an admin changes about people counts at once, and for what was begun before.

use crate::harness::{Browser, Reply, Site, open};
use http::StatusCode;
use hypervisor::auth::NewInvite;
use serde_json::{Value, json};
use testkit::passkey::Authenticator;

/// Somebody who has come as an admin.
async fn admin(site: &Site, username: &str) -> Browser {
    let new = NewInvite {
        admin: true,
        ..NewInvite::default()
    };
    let invite = site.auth.invite(new).await.unwrap();
    let (_, token) = invite.url.split_once("invite=").unwrap();
    let mut browser = site.browser();
    let form = json!({ "username": username, "invite": token });
    let response = browser.register_as(form).await;
    assert_eq!(response.status, StatusCode::OK, "{response:?}");
    browser
}

async fn id(browser: &mut Browser) -> Value {
    browser.me().await["user_id"].clone()
}

/// Ada, who is an admin, and Bob with his id.
async fn ada_and_bob(site: &Site) -> (Browser, Browser, Value) {
    let ada = admin(site, "ada").await;
    let mut bob = site.member("bob").await;
    let id = id(&mut bob).await;
    (ada, bob, id)
}

async fn does(browser: &mut Browser, act: &str, parameters: Value) -> Reply {
    let done = browser.act(act, parameters).await;
    assert!(done.status.is_success(), "{act}: {done:?}");
    done
}

#[tokio::test]
async fn who_is_disabled_is_out_and_hears_of_it_after_their_passkey_alone() {
    let site = Site::new(&open()).await;
    let (mut ada, mut bob, id) = ada_and_bob(&site).await;
    let codes = json!({ "username": "bob", "code": "x" });
    let unknown = bob.clone().post("/auth/recovery", codes.clone()).await;
    let start = ada.start("disable_user", json!({ "user_id": id })).await;
    assert!(start.text("summary").starts_with("Disable bob: "));
    does(&mut ada, "disable_user", json!({ "user_id": id })).await;

    assert_eq!(bob.user().await, None);
    let named = json!({ "username": "bob" });
    let start = bob.post("/auth/login/start", named).await;
    assert_eq!(start.status, StatusCode::OK, "nothing is said before");
    let refused = bob.log_in("bob").await;
    assert_eq!(refused.error(), (403, "account_disabled"));
    bob.cookies.clear();
    let mut stranger = site.member("eve").await;
    let start = stranger
        .post("/auth/login/start", json!({ "username": "bob" }))
        .await;
    let page = stranger.page;
    let answer = stranger.keys.get_with(0, &start.json, page).unwrap();
    let refused = stranger.post("/auth/login/finish", answer).await;
    assert_eq!(refused.error(), (401, "login_failed"));
    let wrong = stranger.post("/auth/recovery", codes).await;
    assert_eq!(wrong.json, unknown.json);

    does(&mut ada, "enable_user", json!({ "user_id": id })).await;
    assert_eq!(bob.log_in("bob").await.status, StatusCode::OK);
    let events = ada.get("/api/audit?limit=5").await.json;
    let told = events.as_array().unwrap().iter();
    let told: Vec<_> = told
        .filter(|it| it["user_id"] == id && it["event"] != "logged_in")
        .map(|it| (it["event"].as_str().unwrap(), it["actor"].as_str()))
        .collect();
    assert_eq!(told[0], ("user_enabled", Some("ada")));
}

#[tokio::test]
async fn what_was_begun_before_does_not_get_through_afterwards() {
    let site = Site::new(&open()).await;
    let (mut ada, mut bob, id) = ada_and_bob(&site).await;
    // A log-in, an act, one more passkey and a registration with his invite are under way.
    let log_in = bob
        .post("/auth/login/start", json!({ "username": "bob" }))
        .await;
    let log_in_cookies = bob.cookies.clone();
    let mut keys = Authenticator::new();
    let adding = bob.act("add_passkey", json!({ "name": "Phone" })).await;
    let adding = keys.create(&adding.json, bob.page).unwrap();
    let adding_cookies = bob.cookies.clone();
    let act = bob.start("renew_recovery_codes", json!({})).await;
    let answer = bob.keys.get(&act.json, bob.page).unwrap();
    let log_in = bob.keys.get(&log_in.json, bob.page).unwrap();
    does(&mut ada, "disable_user", json!({ "user_id": id })).await;

    bob.cookies = log_in_cookies;
    let late = bob.post("/auth/login/finish", log_in).await;
    assert_eq!(late.error(), (403, "account_disabled"));
    bob.cookies = adding_cookies;
    let late = bob.post("/auth/passkeys/finish", adding).await;
    assert_eq!(late.error(), (401, "unauthenticated"));
    let late = bob.finish(&act, &answer).await;
    assert_eq!(late.error(), (401, "unauthenticated"));
}

#[tokio::test]
async fn an_admin_whose_role_is_taken_has_it_in_no_session_and_for_no_act_begun() {
    let site = Site::new(&open()).await;
    let (mut ada, mut bob, id) = ada_and_bob(&site).await;
    let invite = bob.start("invite", json!({})).await;
    assert_eq!(invite.error(), (403, "admin_only"));
    does(
        &mut ada,
        "set_admin",
        json!({ "user_id": id, "admin": true }),
    )
    .await;
    // At once, without a new log-in.
    assert_eq!(bob.me().await["admin"], true);
    assert_eq!(bob.get("/api/users").await.len(), 2);
    let begun = bob.start("invite", json!({ "admin": true })).await;
    let answer = bob.keys.get(&begun.json, bob.page).unwrap();
    does(
        &mut ada,
        "set_admin",
        json!({ "user_id": id, "admin": false }),
    )
    .await;
    assert_eq!(bob.me().await["admin"], false);
    assert_eq!(bob.get("/api/users").await.error(), (403, "admin_only"));
    let late = bob.finish(&begun, &answer).await;
    assert_eq!(late.error(), (403, "admin_only"));
    assert_eq!(
        ada.get("/api/invites").await.len(),
        1,
        "the one that Ada had"
    );
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let site = Site::new(&open()).await;
    let (mut ada, _, _) = ada_and_bob(&site).await;
    let id = id(&mut ada).await;
    for (act, parameters) in [
        ("disable_user", json!({ "user_id": id })),
        ("set_admin", json!({ "user_id": id, "admin": false })),
    ] {
        let refused = ada.act(act, parameters).await;
        assert_eq!(refused.error(), (409, "last_admin"), "{act}");
    }
}

/// Each confirms with a passkey what takes the other's role, at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_admins_who_disable_each_other_one_is_left() {
    let site = Site::new(&open()).await;
    let (mut ada, mut bob) = (admin(&site, "ada").await, admin(&site, "bob").await);
    let (adas, bobs) = (id(&mut ada).await, id(&mut bob).await);
    let one = ada.start("disable_user", json!({ "user_id": bobs })).await;
    let two = bob.start("disable_user", json!({ "user_id": adas })).await;
    let (first, second) = (
        ada.keys.get(&one.json, ada.page).unwrap(),
        bob.keys.get(&two.json, bob.page).unwrap(),
    );
    let (first, second) = tokio::join!(
        tokio::spawn({
            let (mut ada, one) = (ada.clone(), one);
            async move { ada.finish(&one, &first).await.status }
        }),
        tokio::spawn({
            let (mut bob, two) = (bob.clone(), two);
            async move { bob.finish(&two, &second).await.status }
        }),
    );
    let done = [first.unwrap(), second.unwrap()];
    let done: Vec<_> = done.iter().filter(|it| it.is_success()).collect();
    assert_eq!(done.len(), 1);
    let left = site.auth.people("").await.unwrap();
    let left = left.iter().filter(|it| it.user.disabled_at.is_none());
    assert_eq!(left.count(), 1);
}

#[tokio::test]
async fn a_new_name_is_there_in_open_sessions_and_for_the_next_log_in() {
    let site = Site::new(&open()).await;
    let (mut ada, mut bob, id) = ada_and_bob(&site).await;
    for (name, refused) in [
        ("ADA", (409, "username_taken")),
        (" Ada ", (409, "username_taken")),
        ("\u{ff21}da", (409, "username_taken")),
        ("Bob", (409, "same_name")),
        ("a\u{202e}b", (422, "invalid_username")),
        ("", (422, "invalid_username")),
        (&"a".repeat(255), (422, "invalid_username")),
    ] {
        let rename = json!({ "user_id": id, "username": name });
        let reply = ada.act("rename_user", rename).await;
        assert_eq!(reply.error(), refused, "{name:?}");
    }
    let rename = json!({ "user_id": id, "username": "Robert@Example.org" });
    let done = does(&mut ada, "rename_user", rename).await;
    assert_eq!(done.text("username"), "robert@example.org");
    assert_eq!(bob.user().await.as_deref(), Some("robert@example.org"));
    bob.cookies.clear();
    let gone = bob.log_in("bob").await;
    assert_eq!(gone.error(), (404, "no_account"));
    assert_eq!(
        bob.log_in("robert@example.org").await.status,
        StatusCode::OK
    );
    assert_eq!(bob.me().await["user_id"], id);
}

#[tokio::test]
async fn every_session_of_somebody_ends_and_nobody_elses() {
    let site = Site::new(&open()).await;
    let (mut ada, mut bob, id) = ada_and_bob(&site).await;
    let mut phone = bob.clone();
    phone.cookies.clear();
    phone.log_in("bob").await;
    does(&mut ada, "end_user_sessions", json!({ "user_id": id })).await;
    assert_eq!((bob.user().await, phone.user().await), (None, None));
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    assert_eq!(phone.log_in("bob").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_recovery_link_lets_one_in_once_and_its_person_hears_of_it() {
    let site = Site::new(&open()).await;
    let (mut ada, mut bob, id) = ada_and_bob(&site).await;
    let link = does(&mut ada, "recovery_link", json!({ "user_id": id })).await;
    let (page, code) = link.text("url").split_once('#').unwrap();
    assert!(page.ends_with("/recovery?username=bob"), "{page}");
    assert_eq!(code, link.text("code"));
    let notices = bob.me().await["notices"].clone();
    assert_eq!(notices[0]["event"], "recovery_code_issued");
    let with_code = json!({ "username": "bob", "code": code });
    let mut phone = site.browser();
    let used = phone.post("/auth/recovery", with_code.clone()).await;
    assert_eq!(used.status, StatusCode::OK);
    let again = site.browser().post("/auth/recovery", with_code).await;
    assert_eq!(again.error(), (401, "recovery_failed"));
    does(&mut ada, "disable_user", json!({ "user_id": id })).await;
    let refused = ada.act("recovery_link", json!({ "user_id": id })).await;
    assert_eq!(refused.error(), (409, "user_disabled"));
}

#[tokio::test]
async fn who_is_no_admin_sees_and_changes_nobody() {
    let site = Site::new(&open()).await;
    let (mut ada, mut bob, _) = ada_and_bob(&site).await;
    let adas = id(&mut ada).await;
    for act in [
        json!({ "act": "disable_user", "user_id": adas }),
        json!({ "act": "enable_user", "user_id": adas }),
        json!({ "act": "rename_user", "user_id": adas, "username": "x" }),
        json!({ "act": "set_admin", "user_id": adas, "admin": true }),
        json!({ "act": "end_user_sessions", "user_id": adas }),
        json!({ "act": "recovery_link", "user_id": adas }),
        json!({ "act": "revoke_invite", "invite_id": adas }),
        json!({ "act": "add_member", "workspace": "sandbox", "username": "bob" }),
        json!({ "act": "remove_member", "workspace": "sandbox", "user_id": adas }),
        json!({ "act": "invite" }),
    ] {
        let refused = bob.post("/auth/acts/start", act.clone()).await;
        assert_eq!(refused.error(), (403, "admin_only"), "{act}");
    }
    for path in [
        "/api/users",
        "/api/invites",
        "/api/audit",
        "/api/workspaces?all=true",
    ] {
        assert_eq!(bob.get(path).await.error(), (403, "admin_only"), "{path}");
        let nobody = site.browser().get(path).await;
        assert_eq!(nobody.error(), (401, "unauthenticated"), "{path}");
    }
    // Nor does a session that may do nothing but add a passkey.
    let link = json!({ "user_id": adas });
    let code = does(&mut ada, "recovery_link", link).await;
    let mut recovering = site.browser();
    let form = json!({ "username": "ada", "code": code.text("code") });
    recovering.post("/auth/recovery", form).await;
    let refused = recovering.get("/api/users").await;
    assert_eq!(refused.error(), (403, "recovery_session"));
}
