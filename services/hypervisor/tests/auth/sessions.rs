//! Sessions: how they end, and how they are kept.

use crate::harness::{Browser, ORIGIN, Site, open};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use hypervisor::auth::{Auth, AuthError};
use hypervisor::store::Database;
use hypervisor::timestamp::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Two in which Ada is logged in, the second after the first.
async fn two_browsers(site: &Site) -> (Browser, Browser) {
    let mut laptop = site.browser();
    // A synced passkey, which both have.
    laptop.keys.counts = false;
    laptop.register("ada").await;
    let mut phone = laptop.clone();
    phone.cookies.clear();
    phone.log_in("ada").await;
    (laptop, phone)
}

#[tokio::test]
async fn a_revoked_session_is_refused_at_its_next_request() {
    let site = Site::new(&open()).await;
    let (mut laptop, mut phone) = two_browsers(&site).await;
    let list = laptop.get("/auth/sessions").await.json;
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0]["current"], false, "the newest first");
    assert_eq!(list[1]["current"], true);
    assert_eq!(list[0]["user_agent"], "Browser/1.0");
    assert_eq!(list[0]["address"], "127.0.0.1");
    let other = json!({ "session_id": list[0]["id"] });
    let ended = laptop.act("end_session", other.clone()).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(
        phone.get("/auth/passkeys").await.error(),
        (401, "unauthenticated")
    );
    let again = laptop.act("end_session", other).await;
    assert_eq!(again.error(), (404, "not_found"));

    let present = json!({ "session_id": list[1]["id"] });
    let refused = laptop.act("end_session", present).await;
    assert_eq!(refused.error(), (409, "present_session"));
    let own = format!("/auth/sessions/{}", list[1]["id"].as_str().unwrap());
    assert_eq!(laptop.delete(&own).await.status, StatusCode::NO_CONTENT);
    assert_eq!(laptop.session_cookie(), None);
    assert!(site.sessions().is_empty());
}

#[tokio::test]
async fn sessions_outlive_a_restart_and_revoked_ones_do_not() {
    let mut site = Site::new(&open()).await;
    let mut kept = site.member("ada").await;
    let mut revoked = site.member("bob").await;
    let old = revoked.clone();
    revoked.post("/auth/logout", json!({})).await;
    site.restart(&open()).await;
    kept.visit(&site);
    revoked.visit(&site);
    revoked.cookies = old.cookies;
    assert_eq!(kept.user().await.as_deref(), Some("ada"));
    assert_eq!(revoked.user().await, None);
}

#[tokio::test]
async fn a_start_reads_no_session_and_each_comes_with_its_first_request() {
    let mut site = Site::new(&open()).await;
    let (mut laptop, mut phone) = two_browsers(&site).await;
    site.restart(&open()).await;
    laptop.visit(&site);
    phone.visit(&site);
    let in_memory = |browser: &Browser| site.auth.session(&browser.headers()).is_some();
    assert!(!in_memory(&laptop) && !in_memory(&phone));
    let found = site.auth.find_session(&laptop.headers()).await.unwrap();
    assert_eq!(found.unwrap().user.username, "ada");
    assert!(in_memory(&laptop) && !in_memory(&phone));
    // What is not in memory is there for its user all the same.
    assert_eq!(laptop.get("/auth/sessions").await.len(), 2);
    assert_eq!(site.auth.people("").await.unwrap()[0].sessions, 2);
}

#[tokio::test]
async fn a_session_that_was_revoked_before_its_first_request_is_refused() {
    let mut site = Site::new(&open()).await;
    let (mut laptop, mut phone) = two_browsers(&site).await;
    site.restart(&open()).await;
    laptop.visit(&site);
    phone.visit(&site);
    let list = laptop.get("/auth/sessions").await.json;
    let other = json!({ "session_id": list[0]["id"] });
    let ended = laptop.act("end_session", other).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(phone.user().await, None);
    assert_eq!(laptop.user().await.as_deref(), Some("ada"));
}

/// Revocations that come while the session is on its way into memory: whoever was first, once
/// one has been answered there is no session any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_holds_also_while_the_session_is_fetched() {
    let mut site = Site::new(&open()).await;
    let user = site.member("ada").await;
    for _ in 0..50 {
        let mut browser = user.clone();
        browser.cookies.clear();
        browser.visit(&site);
        browser.log_in("ada").await;
        site.restart(&open()).await;
        let headers = browser.headers();
        let auth = site.auth.clone();
        let asking = tokio::spawn({
            let (auth, headers) = (auth.clone(), headers.clone());
            async move {
                for _ in 0..20 {
                    auth.find_session(&headers).await.unwrap();
                }
            }
        });
        browser.visit(&site);
        browser.post("/auth/logout", json!({})).await;
        assert!(auth.session(&headers).is_none());
        asking.await.unwrap();
        assert!(auth.session(&headers).is_none());
    }
}

#[tokio::test]
async fn made_up_cookies_find_nothing_and_leave_nothing() {
    let site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let good = browser.session_cookie().unwrap().clone();
    for token in ["", "short", &"A".repeat(43), &"A".repeat(64)] {
        browser.cookies.insert("choiros-9090".into(), token.into());
        let found = site.auth.find_session(&browser.headers()).await.unwrap();
        assert!(found.is_none());
    }
    browser.cookies.insert("choiros-9090".into(), good);
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn the_audit_log_goes_back_as_far_as_it_is_set_to() {
    let mut config = open();
    config.auth.audit_days = 30;
    let mut site = Site::new(&config).await;
    let mut browser = site.member("ada").await;
    browser.post("/auth/logout", json!({})).await;
    let db = rusqlite::Connection::open(&site.path).unwrap();
    let old = Timestamp::now().millis() - 31 * 86_400_000;
    db.execute("UPDATE audit SET at = ?1 WHERE event = 'registered'", [old])
        .unwrap();
    let events = || {
        let mut statement = db.prepare("SELECT event FROM audit ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<Vec<String>, _>>().unwrap()
    };
    config.auth.audit_days = 0;
    site.restart_a_day_later(&config).await;
    assert_eq!(events(), ["registered", "logged_out"]);
    config.auth.audit_days = 30;
    site.restart_a_day_later(&config).await;
    assert_eq!(events(), ["logged_out"]);
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let mut site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let db = rusqlite::Connection::open(&site.path).unwrap();
    let soon = Timestamp::now().millis() + 1500;
    db.execute("UPDATE sessions SET expires_at = ?1", [soon])
        .unwrap();
    site.restart(&open()).await;
    browser.visit(&site);
    while browser.user().await.is_some() {
        assert!(Timestamp::now().millis() < soon + 30_000, "it goes on");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(Timestamp::now().millis() >= soon);
    let left = || -> i64 {
        db.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))
            .unwrap()
    };
    site.auth.purge_expired().await.unwrap();
    assert_eq!(left(), 1, "the clock may be wrong");
    site.restart_a_day_later(&open()).await;
    assert_eq!(left(), 0);
}

#[tokio::test]
async fn when_a_session_was_last_seen_is_written_down_later() {
    let mut site = Site::new(&open()).await;
    let mut browser = site.member("ada").await;
    let db = rusqlite::Connection::open(&site.path).unwrap();
    db.execute("UPDATE sessions SET last_seen_at = 1000", [])
        .unwrap();
    site.restart(&open()).await;
    browser.visit(&site);
    let before = Timestamp::now();
    browser.user().await;
    let seen = || site.sessions()[0].last_seen_at;
    assert_eq!(seen().millis(), 1000, "not on a request's path");
    site.auth.purge_expired().await.unwrap();
    assert!(seen() >= before);
}

#[tokio::test]
async fn the_store_knows_no_token() {
    let site = Site::new(&open()).await;
    let browser = site.member("ada").await;
    let cookie = browser.session_cookie().unwrap();
    let token = URL_SAFE_NO_PAD.decode(cookie).unwrap();
    assert_eq!(site.sessions()[0].token, *Sha256::digest(token));
    let file = std::fs::read(&site.path).unwrap();
    let wal = std::fs::read(site.path.with_extension("db-wal")).unwrap_or_default();
    for haystack in [file, wal] {
        assert!(
            !haystack
                .windows(43)
                .any(|window| window == cookie.as_bytes())
        );
    }
}

#[tokio::test]
async fn cookies_are_bound_to_the_host_and_out_of_reach_of_scripts() {
    let mut config = open();
    let cases = [
        (
            ORIGIN,
            "localhost",
            "choiros-9090",
            "choiros-ceremony-9090",
            false,
        ),
        (
            "https://choir.example",
            "choir.example",
            "__Host-choiros",
            "__Host-choiros-ceremony",
            true,
        ),
    ];
    for (origin, rp_id, name, ceremony, secure) in cases {
        config.auth.origin = Some(origin.parse().unwrap());
        config.auth.rp_id = rp_id.into();
        let site = Site::new(&config).await;
        let mut browser = site.browser();
        browser.page = origin;
        let start = browser
            .send(
                http::Method::POST,
                "/auth/register/start",
                &json!({ "username": "ada" }),
                &[],
            )
            .await;
        let credential = browser.keys.create(&start.json, origin).unwrap();
        let finish = browser
            .send(
                http::Method::POST,
                "/auth/register/finish",
                &credential,
                &[],
            )
            .await;
        assert_eq!(finish.headers["cache-control"], "no-store");
        for (response, name) in [
            (start, format!("{ceremony}=")),
            (finish, format!("{name}=")),
        ] {
            let cookie = response.headers["set-cookie"].to_str().unwrap();
            assert!(cookie.starts_with(&name), "{cookie}");
            for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age="] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
    }
}

#[tokio::test]
async fn a_start_with_another_rp_id_is_refused_with_a_sentence() {
    let site = Site::new(&open()).await;
    let mut config = open();
    config.auth.rp_id = "choir.example".into();
    config.auth.origin = Some("https://choir.example".parse().unwrap());
    let store = Arc::new(Database::sqlite(&site.path).unwrap());
    let refusal = Auth::open(&config, store).await.err().unwrap();
    assert!(matches!(refusal, AuthError::RpIdChanged { .. }));
    let sentence = refusal.to_string();
    for part in ["`localhost`", "`choir.example`", "set auth.rp_id back"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    let mut site = site;
    site.restart(&open()).await;
}
