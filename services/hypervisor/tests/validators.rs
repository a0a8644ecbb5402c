//! What a browser keeps of one sandbox, or of one generation, is never taken for another's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode};
use std::net::SocketAddr;
use testkit::client;
use testkit::harness::Hypervisor;
use testkit::person::Person;
use tokio::net::TcpListener;

const DATE: &str = "Fri, 02 Jan 2026 00:00:01 GMT";

/// A sandbox with a file of twelve bytes at every path, whose number or date it goes by, as it is told.
async fn start(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(file).with_state(name);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn file(State(name): State<&'static str>, request: Request) -> Response {
    let (path, headers) = (request.uri().path(), request.headers());
    let validator = if path.starts_with("/date") {
        ("last-modified", DATE)
    } else {
        ("etag", "\"1\"")
    };
    let given = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    let known = |name: &str| given(name) == Some(validator.1);
    if given("if-match").is_some() && !known("if-match") {
        return (StatusCode::PRECONDITION_FAILED, [validator]).into_response();
    }
    if known("if-none-match") || known("if-modified-since") {
        return (StatusCode::NOT_MODIFIED, [validator]).into_response();
    }
    let whole = format!("{name:>12}");
    if given("range").is_some() && (given("if-range").is_none() || known("if-range")) {
        return (
            StatusCode::PARTIAL_CONTENT,
            [validator],
            whole[8..].to_owned(),
        )
            .into_response();
    }
    ([validator], whole).into_response()
}

async fn site() -> (Hypervisor, Person) {
    let (live, dev) = (start("first").await, start("second").await);
    let config = format!(
        "[runtime]\nkind = \"adopt\"\nprobe_secs = 60\n\
         [workspaces.sandbox.live]\naddress = \"{live}\"\nidentity = false\n\
         [workspaces.sandbox.dev]\naddress = \"{dev}\"\nidentity = false\n"
    );
    let gateway = common::builder().config(&config).start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    (gateway, person)
}

async fn get(person: &Person, path: &str, headers: &[(&str, &str)]) -> client::Response {
    let mut request = person.client.request(Method::GET, path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

/// What a browser knows of a response, as it asks with it.
fn conditions(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let value = |name: &str| Some(headers.get(name)?.to_str().unwrap().to_owned());
    let tag = value("etag").map(|tag| ("if-none-match", tag));
    let date = value("last-modified").map(|date| ("if-modified-since", date));
    tag.into_iter().chain(date).collect()
}

async fn again(person: &Person, path: &str, known: &client::Response) -> (u16, String) {
    let conditions = conditions(&known.headers);
    let conditions: Vec<_> = conditions.iter().map(|(name, it)| (*name, &**it)).collect();
    let response = get(person, path, &conditions).await;
    (response.status.as_u16(), response.text().trim().to_owned())
}

async fn swap(gateway: &Hypervisor) {
    let swapped = gateway.cli(&["swap", "sandbox"]).await.unwrap();
    assert!(swapped.status.success(), "{swapped:?}");
}

#[tokio::test]
async fn a_swap_makes_every_browser_ask_anew() {
    let (mut gateway, person) = site().await;
    let new = |name: &str| (200, name.to_owned());
    for path in ["/tag", "/date"] {
        let known = get(&person, path, &[]).await;
        assert_eq!(known.text().trim(), "first");
        assert_eq!(again(&person, path, &known).await, (304, String::new()));
        let of_dev = get(&person, &format!("/dev{path}"), &[]).await;
        assert_ne!(known.headers["etag"], of_dev.headers["etag"]);
        assert_eq!(again(&person, path, &of_dev).await, new("first"));
    }
    let known = [
        get(&person, "/tag", &[]).await,
        get(&person, "/date", &[]).await,
    ];
    gateway.restart().await.unwrap();
    for (path, known) in ["/tag", "/date"].iter().zip(&known) {
        assert_eq!(again(&person, path, known).await.0, 304, "after a restart");
    }
    swap(&gateway).await;
    for (path, known) in ["/tag", "/date"].iter().zip(&known) {
        assert_eq!(again(&person, path, known).await, new("second"));
        let dev = format!("/dev{path}");
        assert_eq!(again(&person, &dev, known).await, new("first"));
    }
    swap(&gateway).await;
    for (path, known) in ["/tag", "/date"].iter().zip(&known) {
        assert_eq!(
            again(&person, path, known).await,
            new("first"),
            "another generation"
        );
    }
}

#[tokio::test]
async fn no_range_of_one_generation_is_put_to_the_rest_of_another() {
    let (gateway, person) = site().await;
    let range = ("range", "bytes=8-");
    let rest = |name: &str| (206, name.to_owned());
    let mut known = Vec::new();
    for path in ["/tag", "/date"] {
        let response = get(&person, path, &[]).await;
        known.push((path, response.headers["etag"].to_str().unwrap().to_owned()));
    }
    let ask = async |path: &str, validator: &str| {
        let response = get(&person, path, &[range, ("if-range", validator)]).await;
        (response.status.as_u16(), response.text().trim().to_owned())
    };
    for (path, tag) in &known {
        assert_eq!(ask(path, tag).await, rest("irst"));
        assert_eq!(ask(path, DATE).await.0, 200, "it does not say whose it is");
    }
    swap(&gateway).await;
    for (path, tag) in &known {
        assert_eq!(ask(path, tag).await, (200, "second".to_owned()));
    }
    assert_eq!(get(&person, "/tag", &[range]).await.status, 206);
}

#[tokio::test]
async fn a_write_that_was_meant_for_another_generation_is_refused() {
    let (gateway, person) = site().await;
    let known = get(&person, "/tag", &[]).await;
    let tag = known.headers["etag"].to_str().unwrap().to_owned();
    let put = async |tag: &str| {
        let request = person.client.request(Method::PUT, "/tag");
        let response = request.header("if-match", tag).send().await.unwrap();
        response.status.as_u16()
    };
    assert_eq!(put(&tag).await, 200);
    assert_eq!(put("\"1\"").await, 200, "a client that has it from a body");
    swap(&gateway).await;
    assert_eq!(put(&tag).await, 412);
}
