//! What sandboxes and sessions see of a gateway that is the edge itself.

use crate::common::builder;
use crate::site::{Site, get};
use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use serde_json::Value;
use testkit::person::Person;
use testkit::raw::{Raw, status};
use testkit::tls::{Authority, Kind};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// What the sandbox saw of a request with these fields.
async fn seen(site: &Site, person: &Person, fields: &str) -> Value {
    let cookie = format!(
        "Cookie: {}\r\nConnection: close\r\n{fields}",
        person.cookie()
    );
    let mut raw = site.raw().await;
    raw.send(get(&site.host(), "/x", &cookie)).await.unwrap();
    let head = raw.read_head().await.unwrap();
    assert_eq!(status(&head), Some(200), "{head}");
    let body = raw.read_to_end().await.unwrap();
    assert!(body.clean);
    let start = body.bytes.iter().position(|byte| *byte == b'{').unwrap();
    let end = body.bytes.iter().rposition(|byte| *byte == b'}').unwrap();
    serde_json::from_slice(&body.bytes[start..=end]).unwrap()
}

fn field(seen: &Value, name: &str) -> Vec<String> {
    let headers = seen["headers"].as_array().unwrap().iter();
    let named = headers.filter(|header| header[0] == name);
    let value = |header: &Value| header[1].as_str().unwrap().to_owned();
    named.map(value).collect()
}

#[tokio::test]
async fn a_sandbox_is_told_the_clients_own_address_and_scheme() {
    let site = Site::start("").await;
    let person = site.person().await;
    for spoofed in [
        "",
        "X-Forwarded-Proto: http\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: evil.example\r\n",
        "Forwarded: for=192.0.2.7;proto=http\r\n",
    ] {
        let seen = seen(&site, &person, spoofed).await;
        assert_eq!(field(&seen, "x-forwarded-proto"), ["https"]);
        assert_eq!(field(&seen, "x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(field(&seen, "x-forwarded-host"), [site.host()]);
        assert!(field(&seen, "forwarded").is_empty());
    }
    let (_, body) = site.http2(&site.host(), "/x", &person.cookie()).await;
    let seen: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(field(&seen, "x-forwarded-proto"), ["https"]);
    assert_eq!(field(&seen, "x-forwarded-host"), [site.host()]);
}

#[tokio::test]
async fn a_proxy_that_is_trusted_speaks_for_its_client_over_tls_too() {
    let site = Site::start_as("", Kind::Ecdsa, |builder| {
        builder.env("HYPERVISOR_SERVER_TRUSTED_PROXIES", "[\"127.0.0.1/32\"]")
    })
    .await;
    let person = site.person().await;
    for (said, scheme) in [
        ("", "https"),
        ("X-Forwarded-Proto: https\r\n", "https"),
        ("X-Forwarded-Proto: http\r\n", "http"),
    ] {
        let fields = format!("X-Forwarded-For: 192.0.2.7\r\n{said}");
        let seen = seen(&site, &person, &fields).await;
        assert_eq!(field(&seen, "x-forwarded-proto"), [scheme], "{said}");
        assert_eq!(field(&seen, "x-forwarded-for"), ["192.0.2.7, 127.0.0.1"]);
    }
}

#[tokio::test]
async fn a_session_is_good_for_this_host_and_https_alone() {
    let site = Site::start("").await;
    let person = site.person().await;
    assert!(person.client.cookie("__Host-choiros").is_some());
    assert!(person.client.cookie("choiros-443").is_none());
    // What has changed something came from our own origin; another's does not get that far.
    let mut raw = site.raw().await;
    let cookie = format!(
        "Cookie: {}\r\nOrigin: http://{}\r\nContent-Length: 0\r\n",
        person.cookie(),
        site.host()
    );
    let post = get(&site.host(), "/x", &cookie).replacen("GET", "POST", 1);
    raw.send(post).await.unwrap();
    assert_eq!(status(raw.read_head().await.unwrap()), Some(403));
    person.client.get("/x").await.unwrap();
}

#[tokio::test]
async fn a_websocket_goes_through() {
    let site = Site::start("").await;
    let person = site.person().await;
    let mut request = format!("wss://{}/ws", site.host())
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    let origin = HeaderValue::from_str(&site.gateway.base_url()).unwrap();
    headers.insert("origin", origin);
    headers.insert("cookie", HeaderValue::from_str(&person.cookie()).unwrap());
    let stream = site.connect(site.client(&["http/1.1"])).await.unwrap();
    let (mut socket, response) = client_async(request, stream).await.unwrap();
    assert_eq!(response.status(), 101);
    for message in [
        Message::Text("hello".into()),
        Message::Binary(vec![7; 300_000].into()),
    ] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
}

#[tokio::test]
async fn what_is_large_comes_through_whole_either_way() {
    let site = Site::start("").await;
    let person = site.person().await;
    let length = 8_000_000;
    for path in [
        format!("/source/{length}"),
        format!("/source/{length}?chunked"),
    ] {
        let response = person.client.get(&path).await.unwrap();
        assert_eq!(response.body.len(), length);
    }
    let body = testkit::upstream::pattern::piece(0, 60_000);
    let request = person
        .client
        .request(http::Method::POST, "/sink")
        .body(body.clone());
    let tally: Value = request.send().await.unwrap().json().unwrap();
    assert_eq!(tally["bytes"], body.len());
    assert_eq!(tally["intact"], true);
}

#[tokio::test]
async fn a_start_without_a_pair_to_serve_is_refused_and_its_check_is_not() {
    let authority = Authority::new().unwrap();
    let (one, other) = (authority.issue(Kind::Ecdsa), authority.issue(Kind::Ecdsa));
    let mut pair = one.unwrap();
    pair.key = other.unwrap().key;
    let mut gateway = builder().tls(&authority, pair).spawn().unwrap();
    assert!(!gateway.wait_exit().await.unwrap().success());
    let said = gateway.process().stderr();
    assert!(said.contains("do not belong together"), "{said}");
    let checked = gateway.cli(&["check-config"]).await.unwrap();
    assert!(checked.status.success(), "{checked:?}");
    // Nor is a folder that is none.
    let pair = authority.issue(Kind::Ecdsa).unwrap();
    let builder = builder().tls(&authority, pair);
    let builder = builder.env("HYPERVISOR_TLS_ACME_WEBROOT", "/nonexistent");
    let mut gateway = builder.spawn().unwrap();
    assert!(!gateway.wait_exit().await.unwrap().success());
    let said = gateway.process().stderr();
    assert!(said.contains("tls.acme_webroot: /nonexistent"), "{said}");
}

#[tokio::test]
async fn a_connection_too_many_is_closed_without_a_word_that_is_no_tls() {
    let site = Site::start_as("", Kind::Ecdsa, |builder| {
        builder.env("HYPERVISOR_SERVER_MAX_CONNECTIONS", "2")
    })
    .await;
    // Those of the test's own start may still be open.
    let held = testkit::wait::eventually("two connections", async || {
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(site.connect(site.authority.trusted()).await.ok()?);
        }
        Some(held)
    });
    let held = held.await.unwrap();
    let refused = testkit::raw::exchange(site.gateway.address(), "")
        .await
        .unwrap();
    assert_eq!(refused.bytes, b"");
    drop(held);
    testkit::wait::eventually("a place", async || {
        let mut raw = Raw::on(site.connect(site.client(&["http/1.1"])).await.ok()?);
        raw.send(get(&site.host(), "/health", "")).await.ok()?;
        (status(raw.read_head().await.ok()?) == Some(200)).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_grant_is_good_for_that_host_and_https_alone() {
    let site = Site::start_as("hsts_secs = 60", Kind::Ecdsa, |builder| {
        builder.env("HYPERVISOR_ORIGINS", "own")
    })
    .await;
    let person = site.person().await;
    let host = "sandbox.localhost";
    let asked = person.client.at(host).unwrap();
    let asked = asked.navigate("/").await.unwrap();
    let cookie = asked.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-choiros-enter="), "{cookie}");
    assert!(
        cookie.contains("; Secure") && cookie.contains("; Path=/;"),
        "{cookie}"
    );
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert_eq!(
        asked.header("strict-transport-security"),
        Some("max-age=60")
    );

    let live = person.enter(host).await.unwrap();
    assert!(live.cookie("__Host-choiros-grant").is_some());
    assert_eq!(live.get("/").await.unwrap().status, 200);
    assert_eq!(
        live.at("sandbox-dev.localhost")
            .unwrap()
            .get("/")
            .await
            .unwrap()
            .status,
        401
    );
}
