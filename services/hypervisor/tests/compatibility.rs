//! The surface of the first release, as it stays with `origins = "shared"` and open registration,
//! in the order of the list that promises it.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::shell::at;
use common::{builder, gateway, sides};
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use serde_json::{Value, json};
use testkit::browser::Browser;
use testkit::client::Response;
use testkit::person::Person;

const ADA: &str = "ada@example.org";

/// An error is a code, and a sentence.
fn error(response: &Response) -> String {
    let error: Value = response.json().unwrap();
    assert!(error["message"].as_str().unwrap().len() > 20, "{error}");
    error["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn ceremonies_log_out_recovery_and_me() {
    let gateway = gateway().await;
    let stranger = gateway.client();
    for path in [
        "/auth/register/start",
        "/auth/register/finish",
        "/auth/login/start",
        "/auth/login/finish",
        "/auth/recovery",
    ] {
        let response = stranger.post_json(path, &json!(7)).await.unwrap();
        assert!(
            response.status.is_client_error(),
            "{path}: {}",
            response.status
        );
        assert!(
            !["not_found", "method_not_allowed"].contains(&&*error(&response)),
            "{path}"
        );
    }
    let nobody = json!({"username": "nobody@example.org"});
    let response = stranger
        .post_json("/auth/login/start", &nobody)
        .await
        .unwrap();
    assert_eq!(response.status, 404);
    assert!(
        response.text().contains("no account found"),
        "{}",
        response.text()
    );
    let me = stranger.get("/auth/me").await.unwrap();
    assert_eq!(me.status, 200);
    assert_eq!(me.json::<Value>().unwrap()["authenticated"], false);

    // Registration and log-in, through both halves of each.
    let person = Person::register(&gateway, ADA).await.unwrap();
    person.log_in().await.unwrap();
    assert_eq!(person.recovery_codes.len(), 10);
    let me = person.client.get("/auth/me").await.unwrap();
    let me: Value = me.json().unwrap();
    assert_eq!(me["authenticated"], true);
    assert_eq!(me["username"], ADA);
    assert_eq!(me["user_id"], person.user_id);
    let out = person
        .client
        .post_json("/auth/logout", &json!({}))
        .await
        .unwrap();
    assert_eq!(out.status, 303);
    assert_eq!(out.header("location"), Some("/login"));
    let me = person.client.get("/auth/me").await.unwrap();
    assert_eq!(me.json::<Value>().unwrap()["authenticated"], false);
    let order = json!({"username": ADA, "code": person.recovery_codes[0]});
    let response = person
        .client
        .post_json("/auth/recovery", &order)
        .await
        .unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let me = person.client.get("/auth/me").await.unwrap();
    assert_eq!(me.json::<Value>().unwrap()["kind"], "recovery");
}

#[tokio::test]
async fn sandboxes_are_listed_started_and_stopped_and_health_is_open() {
    let gateway = gateway().await;
    let health = gateway.client().get("/health").await.unwrap();
    assert_eq!(health.status, 200);
    assert_eq!(health.json::<Value>().unwrap()["status"], "healthy");
    let person = Person::register(&gateway, ADA).await.unwrap();
    let rows = person.client.get("/admin/sandboxes").await.unwrap();
    let rows: Vec<Value> = rows.json().unwrap();
    let roles: Vec<_> = rows
        .iter()
        .map(|row| row["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["live", "dev"]);
    assert!(rows.iter().all(|row| row["user_id"] == *person.user_id));
    let steer = async |role: &str, verb: &str| -> Value {
        let path = format!("/admin/sandboxes/{}/{role}/{verb}", person.user_id);
        let response = person.client.post_json(&path, &json!({})).await.unwrap();
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.json().unwrap()
    };
    for role in ["live", "dev"] {
        assert_eq!(steer(role, "start").await["status"], "running", "{role}");
        assert_eq!(steer(role, "stop").await["status"], "stopped", "{role}");
    }
}

#[tokio::test]
async fn websockets_and_event_streams_go_through_the_proxy() {
    let (_live, _dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let person = Person::register(&gateway, ADA).await.unwrap();
    for (path, side) in [("/ws", "sandbox-live"), ("/dev/ws", "sandbox-dev")] {
        let mut socket = person.client.websocket(path).await.unwrap();
        let hello = socket.next().await.unwrap().unwrap();
        assert_eq!(hello.to_text().unwrap(), side);
        socket.send("hi".into()).await.unwrap();
        let echo = socket.next().await.unwrap().unwrap();
        assert_eq!(echo.to_text().unwrap(), "hi");
    }
    let gateway = common::gateway().await;
    let person = Person::register(&gateway, ADA).await.unwrap();
    for base in ["", "/dev"] {
        let path = format!("{base}/logs/events");
        let mut events = person.client.events(&path, None).await.unwrap();
        let first = events.next().await.unwrap();
        assert!(first.is_some(), "{path}");
    }
}

#[tokio::test]
async fn without_a_session_people_go_to_log_in_and_programs_are_told() {
    let gateway = gateway().await;
    let stranger = gateway.client();
    let page = stranger.navigate("/x/y?z=1").await.unwrap();
    assert_eq!(page.status, 303);
    assert_eq!(
        page.header("location"),
        Some("/login?next=%2Fx%2Fy%3Fz%3D1")
    );
    let program = |method: Method, path: &str| {
        let request = stranger.request(method, path);
        request
            .without("sec-fetch-site")
            .without("sec-fetch-mode")
            .without("origin")
    };
    let git = "/repo.git/info/refs?service=git-upload-pack";
    for (name, request) in [
        (
            "fetch",
            stranger
                .request(Method::GET, "/x")
                .header("sec-fetch-mode", "cors"),
        ),
        (
            "XHR",
            program(Method::GET, "/x").header("x-requested-with", "XMLHttpRequest"),
        ),
        (
            "curl",
            program(Method::GET, "/x")
                .header("accept", "*/*")
                .header("user-agent", "curl/8"),
        ),
        (
            "git",
            program(Method::GET, git)
                .header("accept", "*/*")
                .header("user-agent", "git/2"),
        ),
        (
            "pip",
            program(Method::GET, "/simple/x/").header(
                "accept",
                "application/vnd.pypi.simple.v1+json, text/html; q=0.01",
            ),
        ),
        (
            "WebSocket",
            stranger
                .request(Method::GET, "/ws")
                .header("upgrade", "websocket")
                .header("connection", "upgrade")
                .header("sec-fetch-mode", "websocket"),
        ),
        (
            "POST",
            stranger
                .request(Method::POST, "/x")
                .header("sec-fetch-mode", "navigate"),
        ),
        (
            "PUT",
            program(Method::PUT, "/dev/x").header("accept", "text/html"),
        ),
        ("DELETE", program(Method::DELETE, "/x")),
        (
            "HEAD",
            program(Method::HEAD, "/x").header("accept", "text/html"),
        ),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status, 401, "{name}");
        if name != "HEAD" {
            assert_eq!(error(&response), "unauthenticated", "{name}");
        }
    }
}

#[tokio::test]
async fn the_log_in_page_is_what_it_was() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    page.open(&at(&gateway, "/dev/x?y")).await;
    page.at("/login").await;
    page.see("@auth-modal").await;
    page.read("@auth-mode-label", "Log in").await;
    page.see("@auth-mode-login").await;
    // The label's text is a `span` of the label of the input.
    let label: String = page
        .eval("document.querySelector('[data-testid=auth-input]').labels[0].querySelector('span').textContent")
        .await;
    assert_eq!(label, "email:");
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.read("@auth-error", "no account found").await;
    page.click("@auth-mode-register").await;
    page.read("@auth-mode-label", "Sign up").await;
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    let codes = page.text("@recovery-codes").await;
    assert_eq!(codes.lines().count(), 10);
    page.click("@recovery-codes-continue").await;
    page.at("/dev/x").await;
    let me: Value = page
        .eval("fetch('/auth/me').then((response) => response.json())")
        .await;
    assert_eq!(me["username"], ADA);
}

#[tokio::test]
async fn whether_there_is_an_account_can_be_hidden() {
    let gateway = builder()
        .env("HYPERVISOR_AUTH_REVEAL_ACCOUNTS", "false")
        .start()
        .await
        .unwrap();
    let nobody = json!({"username": "nobody@example.org"});
    let response = gateway
        .client()
        .post_json("/auth/login/start", &nobody)
        .await
        .unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
}
