//! A gateway whose store is in PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::builder;
use serde_json::json;
use std::time::Duration;
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;
use testkit::postgres::{self, Postgres};
use testkit::wait::eventually;

/// One that has a new database; `None` where PostgreSQL is not installed.
fn at_postgres() -> Option<(&'static Postgres, String, Builder)> {
    let server = postgres::shared().unwrap()?;
    let url = server.database().unwrap();
    let builder = builder().env("HYPERVISOR_STORE_URL", &url);
    Some((server, url, builder))
}

async fn me(person: &Person) -> (u16, String) {
    let response = person.client.get("/auth/me").await.unwrap();
    (response.status.as_u16(), response.text())
}

fn said(output: &std::process::Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

#[tokio::test]
async fn accounts_sessions_and_routes_are_kept_there() {
    let Some((server, url, builder)) = at_postgres() else {
        return;
    };
    let mut gateway = builder.start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let swap = json!({ "user_id": person.user_id });
    let swapped = person.act("swap", swap).await.unwrap();
    assert_eq!(swapped.status, 200, "{}", swapped.text());
    gateway.kill9().unwrap();
    gateway.wait_exit().await.unwrap();
    gateway.restart().await.unwrap();
    assert!(me(&person).await.1.contains("alice"), "the session is good");
    person.log_in().await.unwrap();
    assert_eq!(
        server.sql(&url, "SELECT username FROM users").unwrap(),
        "alice"
    );
    assert_eq!(
        server
            .sql(&url, "SELECT generation FROM workspaces")
            .unwrap(),
        "2"
    );
    assert!(!gateway.state_dir().join("hypervisor.db").exists());
    let metrics = gateway.client().get("/metrics").await.unwrap().text();
    assert!(metrics.contains(r#"choiros_store_info{engine="postgresql"} 1"#));
}

#[tokio::test]
async fn while_it_is_away_sessions_stay_good_and_changes_are_refused_with_its_name() {
    let Some((server, url, builder)) = at_postgres() else {
        return;
    };
    let gateway = builder
        .env("HYPERVISOR_STORE_TIMEOUT_SECS", "1")
        .start()
        .await
        .unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    server.let_in(&url, false).unwrap();
    let known = person.client.get("/logs/events").await.unwrap();
    assert_eq!(known.status, 200, "{}", known.text());
    let invite = gateway.cli(&["invite"]).await.unwrap();
    let told = said(&invite);
    assert!(
        !invite.status.success() && told.contains("store.url"),
        "{told}"
    );
    let health = gateway.client().get("/health?deep").await.unwrap();
    assert_eq!(health.status, 503, "{}", health.text());
    server.let_in(&url, true).unwrap();
    let again = async || {
        let invite = gateway.cli(&["invite"]).await.ok()?;
        invite.status.success().then_some(())
    };
    eventually("the store to be there again", again)
        .await
        .unwrap();
    assert_eq!(me(&person).await.0, 200);
}

#[tokio::test]
async fn one_gateway_has_it_until_it_leaves() {
    let Some((server, url, builder)) = at_postgres() else {
        return;
    };
    let mut first = builder.start().await.unwrap();
    Person::register(&first, "alice").await.unwrap();
    let second = common::builder().env("HYPERVISOR_STORE_URL", &url);
    let mut second = second.spawn().unwrap();
    let refused = second.wait_exit().await.unwrap();
    assert!(!refused.success());
    let told = second.process().transcript();
    assert!(told.contains("is in use by the gateway of"), "{told}");

    // One that was taken for gone ends as soon as it hears of that.
    server
        .sql(
            &url,
            "UPDATE machines SET lease_until = clock_timestamp() - interval '1 second'",
        )
        .unwrap();
    second.restart().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), first.wait_exit()).await;
    assert!(!ended.unwrap().unwrap().success());
    assert!(
        first
            .process()
            .transcript()
            .contains("another gateway has taken this one's place")
    );

    second.sigterm().unwrap();
    assert!(second.wait_exit().await.unwrap().success());
    first.restart().await.unwrap();
}

#[tokio::test]
async fn an_installation_moves_there_and_back() {
    let Some((_, url, _)) = at_postgres() else {
        return;
    };
    let mut gateway = builder().start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    stop(&mut gateway).await;
    let file = |name: &str| {
        let path = gateway.state_dir().join(name);
        format!("sqlite:{}", path.display())
    };
    let (old, new) = (file("hypervisor.db"), file("back.db"));
    copy(&gateway, &old, &url).await;
    let (_, told) = try_copy(&gateway, &old, &url).await;
    assert!(told.contains("name one that is new"), "{told}");
    let secret = "postgres://tests:hunter2@localhost/store";
    let (_, told) = try_copy(&gateway, &old, secret).await;
    assert!(told.contains("store.password_file"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");

    gateway.set_env("HYPERVISOR_STORE_URL", &url);
    gateway.restart().await.unwrap();
    assert!(me(&person).await.1.contains("alice"), "the session is good");
    let (copied, told) = try_copy(&gateway, &url, &new).await;
    assert!(
        !copied && told.contains("is in use by hypervisor serve"),
        "{told}"
    );
    assert_eq!(me(&person).await.0, 200);
    stop(&mut gateway).await;
    copy(&gateway, &url, &new).await;
    let path = gateway.state_dir().join("back.db");
    let users = rusqlite::Connection::open(path).unwrap();
    let users = users.query_row("SELECT username FROM users", [], |row| row.get(0));
    assert_eq!(users, Ok("alice".to_owned()));
}

async fn stop(gateway: &mut Hypervisor) {
    gateway.sigterm().unwrap();
    assert!(gateway.wait_exit().await.unwrap().success());
}

async fn copy(gateway: &Hypervisor, from: &str, to: &str) {
    let (copied, told) = try_copy(gateway, from, to).await;
    assert!(copied && told.contains("each is the same"), "{told}");
}

async fn try_copy(gateway: &Hypervisor, from: &str, to: &str) -> (bool, String) {
    let order = ["store", "copy", "--from", from, "--to", to];
    let copied = gateway.cli(&order).await.unwrap();
    (copied.status.success(), said(&copied))
}
