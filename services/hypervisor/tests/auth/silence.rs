//! What a server that must not reveal accounts does not tell, by words or by time.

use crate::harness::{Browser, ORIGIN, Reply, Site, open};
use http::StatusCode;
use hypervisor::config::Config;
use hypervisor::store::AccountStore;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn silent() -> Config {
    let mut config = open();
    config.auth.reveal_accounts = false;
    config
}

/// The names of everything in a JSON value, without the values.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields = map
                .iter()
                .map(|(key, value)| format!("{key}:{}", shape(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => format!("[{}]", list.first().map(shape).unwrap_or_default()),
        Value::String(_) => "string".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "bool".into(),
        Value::Null => "null".into(),
    }
}

#[tokio::test]
async fn a_login_start_does_not_tell_who_has_an_account() {
    let mut site = Site::new(&silent()).await;
    site.member("ada").await;
    let ids = async |mut browser: Browser, username: &str| {
        let body = json!({ "username": username });
        let start = browser.post("/auth/login/start", body).await;
        assert_eq!(start.status, StatusCode::OK);
        (
            start.json["publicKey"]["allowCredentials"].clone(),
            shape(&start.json),
        )
    };
    let (_, known) = ids(site.browser(), "ada").await;
    let mut seen = Vec::new();
    for number in 0..40 {
        let name = format!("nobody{number}");
        let (unknown, unknown_shape) = ids(site.browser(), &name).await;
        assert_eq!(unknown_shape, known);
        assert!(
            !unknown.as_array().unwrap().is_empty(),
            "accounts have passkeys"
        );
        assert_eq!(
            ids(site.browser(), &name.to_uppercase()).await.0,
            unknown,
            "always the same"
        );
        seen.push(unknown);
    }
    seen.dedup();
    assert_eq!(seen.len(), 40, "different for everyone");
    site.restart(&silent()).await;
    assert_eq!(
        ids(site.browser(), "nobody39").await.0,
        seen[39],
        "after a restart too"
    );
    let elsewhere = Site::new(&silent()).await;
    assert_ne!(ids(elsewhere.browser(), "nobody39").await.0, seen[39]);
}

#[tokio::test]
async fn a_login_that_fails_does_not_tell_who_has_an_account() {
    let site = Site::new(&silent()).await;
    site.member("ada").await;
    let stranger = Site::new(&silent()).await.member("eve").await;
    let mut told = Vec::new();
    for username in ["ada", "nobody"] {
        let mut browser = site.browser();
        let response = attempt(&mut browser, &stranger, username).await;
        assert_eq!(response.error(), (401, "login_failed"));
        told.push(response.json);
    }
    assert_eq!(told[0], told[1]);
}

/// An attempt with an allowed credential's id, signed by a stranger.
async fn attempt(browser: &mut Browser, stranger: &Browser, username: &str) -> Reply {
    let body = json!({ "username": username });
    let start = browser.post("/auth/login/start", body).await;
    let mut keys = stranger.keys.clone();
    let mut response = keys.get_with(0, &start.json, ORIGIN).unwrap();
    let id = &start.json["publicKey"]["allowCredentials"][0]["id"];
    response["id"] = id.clone();
    response["rawId"] = id.clone();
    response["response"]["userHandle"] = Value::Null;
    browser.post("/auth/login/finish", response).await
}

#[tokio::test]
async fn a_register_start_does_not_tell_who_has_an_account_and_takes_nothing_from_it() {
    let site = Site::new(&silent()).await;
    let mut owner = site.member("ada").await;
    let ada = site.store.user_by_name("ada").unwrap().unwrap();
    let mut shapes = Vec::new();
    let mut stranger = site.browser();
    for username in ["nobody", "ada"] {
        let body = json!({ "username": username });
        let start = stranger.post("/auth/register/start", body).await;
        assert_eq!(start.status, StatusCode::OK);
        shapes.push(shape(&start.json));
    }
    assert_eq!(shapes[0], shapes[1]);
    let finish = stranger.register("ada").await;
    assert_eq!(finish.error(), (409, "username_taken"));
    assert_eq!(stranger.user().await, None);
    assert_eq!(site.store.users().unwrap(), [ada]);
    assert_eq!(owner.log_in("ada").await.status, StatusCode::OK);
}

/// Whether two kinds of call take the same time within noise: of many, the medians are not
/// five times apart. The work behind them is the same by construction.
async fn same_time(mut call: impl AsyncFnMut(&str)) -> bool {
    let mut spent = [Vec::new(), Vec::new()];
    for round in 0..60 {
        for (times, username) in spent.iter_mut().zip(["ada", "nobody"]) {
            let begun = Instant::now();
            call(username).await;
            // The first ones warm up.
            if round >= 10 {
                times.push(begun.elapsed());
            }
        }
    }
    let [known, unknown] = spent.map(|mut times| {
        times.sort();
        times[times.len() / 2].max(Duration::from_micros(10))
    });
    known < unknown * 5 && unknown < known * 5
}

/// A busy machine may be noisy once, but not three times.
async fn usually_same_time(mut call: impl AsyncFnMut(&str)) {
    for _ in 0..3 {
        if same_time(&mut call).await {
            return;
        }
    }
    panic!("the time tells who has an account");
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_code_take_the_same_time() {
    let site = Site::new(&open()).await;
    site.member("ada").await;
    let mut browser = site.browser();
    usually_same_time(async |username| {
        let body = json!({ "username": username, "code": "0000-0000-0000-0000" });
        let response = browser.post("/auth/recovery", body).await;
        assert_eq!(response.error(), (401, "recovery_failed"));
    })
    .await;
}

#[tokio::test]
async fn a_failed_login_takes_the_same_time_for_an_unknown_user() {
    let site = Site::new(&silent()).await;
    site.member("ada").await;
    let stranger = Site::new(&silent()).await.member("eve").await;
    let mut browser = site.browser();
    usually_same_time(async |username| {
        let response = attempt(&mut browser, &stranger, username).await;
        assert_eq!(response.error(), (401, "login_failed"));
    })
    .await;
}
