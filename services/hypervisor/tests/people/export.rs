//! What was done, and by whom.

use crate::common::builder;
use crate::operator::{act, ask, get};
use rusqlite::Connection;
use serde_json::{Value, json};
use testkit::person::Person;

async fn lines(gateway: &testkit::harness::Hypervisor, path: &str) -> Vec<Value> {
    let (status, text) = ask(gateway, "GET", path, &Value::Null).await;
    assert_eq!(status, 200, "{text}");
    let parsed = text.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn every_event_is_exported_once_and_says_who_did_it() {
    let gateway = builder().start().await.unwrap();
    let ada = Person::register(&gateway, "ada").await.unwrap();
    for it in ["disable_user", "enable_user"] {
        let it = json!({ "act": it, "user_id": ada.user_id });
        act(&gateway, &it).await.unwrap();
    }
    assert_eq!(get(&gateway, "/sessions?user=ADA").await, json!([]));
    ada.log_in().await.unwrap();
    let sessions = get(&gateway, "/sessions").await;
    assert_eq!(sessions[0]["username"], "ada");
    let store = Connection::open(gateway.state_dir().join("hypervisor.db")).unwrap();
    store
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
             INSERT INTO audit (at, event, detail) SELECT i, 'old', i FROM n",
        )
        .unwrap();
    let all = lines(&gateway, "/audit").await;
    let ids: Vec<_> = all.iter().map(|it| it["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert!(ids.len() > 2500, "{}", ids.len());
    let told: Vec<_> = all
        .iter()
        .map(|it| (it["event"].as_str().unwrap(), it["actor"].as_str()))
        .filter(|it| it.0 != "old")
        .collect();
    let expected = [
        // The first one's link.
        ("invited", Some("the operator")),
        ("registered", Some("ada")),
        ("user_disabled", Some("the operator")),
        ("user_enabled", Some("the operator")),
        ("logged_in", Some("ada")),
    ];
    assert_eq!(told, expected);
    let after = ids[ids.len() - 2];
    assert_eq!(
        lines(&gateway, &format!("/audit?after={after}"))
            .await
            .len(),
        1
    );
    let since = "/audit?since=2000-01-01T00:00:00Z";
    assert_eq!(lines(&gateway, since).await.len(), told.len());
    assert_eq!(lines(&gateway, "/audit?after=999999").await.len(), 0);
    let (status, _) = ask(&gateway, "GET", "/audit?since=yesterday", &Value::Null).await;
    assert_eq!(status, 400);
}
