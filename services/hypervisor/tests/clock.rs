//! A clock that is wrong for a while costs nobody anything for good.
#![cfg(feature = "fail-points")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{builder, sides};
use serde_json::Value;
use testkit::person::Person;

#[tokio::test]
async fn four_hundred_days_ahead_and_back_ends_no_session_and_forgets_no_event() {
    let (_live, _dev, config) = sides().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ahead");
    let set = |days: u32| std::fs::write(&file, (days * 86_400).to_string()).unwrap();
    set(0);
    let mut gateway = builder()
        .config(&config)
        .env("CLOCK_AHEAD", file.to_str().unwrap())
        .start()
        .await
        .unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let asked = async || person.client.get("/").await.unwrap().status.as_u16();
    assert_eq!(asked().await, 200);

    set(400);
    assert_eq!(asked().await, 401, "it has ended, says the clock");
    gateway.restart().await.unwrap(); // Expired sessions are removed at the end.
    assert_eq!(asked().await, 401);
    gateway.restart().await.unwrap();

    set(0);
    assert_eq!(asked().await, 200, "also without another start");
    gateway.restart().await.unwrap();
    assert_eq!(asked().await, 200);
    let audit = person.client.get("/auth/audit").await.unwrap();
    let audit: Vec<Value> = audit.json().unwrap();
    assert!(
        audit.iter().any(|row| row["event"] == "registered"),
        "{audit:?}"
    );
}
