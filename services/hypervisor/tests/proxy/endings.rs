//! Whatever ends early ends on both sides, and lets go of the claim.

use crate::gateway::{Gateway, client, client_of_http2};
use http_body_util::BodyExt;
use std::time::Duration;
use testkit::raw::{Raw, exchange, status};
use testkit::upstream::Upstream;
use testkit::wait::until;
use tokio::net::TcpListener;

#[tokio::test]
async fn an_upstream_that_dies_mid_body_cuts_the_clients_body_too() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for path in ["/die/mid-body", "/die/mid-body?length"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let ending = exchange(gateway.address, request).await.unwrap();
        let received = String::from_utf8_lossy(&ending.bytes).into_owned();
        assert!(received.contains("half of it"), "{received}");
        assert!(!received.ends_with("0\r\n\r\n"), "a clean end: {received}");

        for client in [client(), client_of_http2()] {
            let response = client.get(gateway.url(path).parse().unwrap()).await;
            assert!(response.unwrap().into_body().collect().await.is_err());
        }
    }
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_client_that_leaves_lets_go_of_claim_and_connection() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for (what, request) in [
        ("before the answer", "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "within its body",
            "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
        ),
        (
            "within the answer",
            "GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
    ] {
        let mut raw = Raw::connect(gateway.address).await.unwrap();
        raw.send(request).await.unwrap();
        if what == "within the answer" {
            raw.read_until("data: hello").await.unwrap();
        }
        until("the request arrives", || upstream.open() == 1).await;
        assert_eq!(gateway.claims(), 1, "{what}");
        drop(raw);
        gateway.unclaimed().await;
        until("the connection is closed", || upstream.open() == 0).await;
    }
}

#[tokio::test]
async fn a_stream_of_http2_that_is_reset_lets_go() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let client = client_of_http2();
    let hanging = tokio::spawn(client.get(gateway.url("/hang").parse().unwrap()));
    until("the request arrives", || upstream.seen("/hang") == 1).await;
    hanging.abort();
    gateway.unclaimed().await;
    until("the connection is closed", || upstream.open() == 0).await;
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::start(upstream.address(), |it| it.proxy.body_idle_secs = 1).await;
    let request = "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf";
    let ending = exchange(gateway.address, request).await.unwrap();
    assert_eq!(status(&ending.bytes), Some(408));
    gateway.unclaimed().await;
    until("the connection is closed", || upstream.open() == 0).await;
}

#[tokio::test]
async fn a_slow_body_that_keeps_coming_has_all_the_time() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::start(upstream.address(), |it| {
        it.proxy.body_idle_secs = 3;
        it.proxy.response_secs = 1;
    })
    .await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    raw.send("POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        .await
        .unwrap();
    // Longer, all in all, than either limit.
    for byte in 0..4 {
        tokio::time::sleep(Duration::from_millis(900)).await;
        raw.send([byte]).await.unwrap();
    }
    let response = raw.read_until("}").await.unwrap();
    assert!(
        response.ends_with(r#"{"bytes":4,"intact":true}"#),
        "{response}"
    );
}

#[tokio::test]
async fn an_upstream_that_takes_no_body_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::start(listener.local_addr().unwrap(), |it| {
        it.proxy.body_idle_secs = 1;
        it.proxy.response_secs = 1;
    })
    .await;
    let upstream = tokio::spawn(async move {
        let mut raw = Raw::accept(&listener).await.unwrap();
        raw.read_head().await.unwrap();
        // Neither reads nor answers.
        std::future::pending::<()>().await;
    });
    let size = 64 * 1024 * 1024;
    let mut request =
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n").into_bytes();
    request.resize(request.len() + size, 0);
    let ending = exchange(gateway.address, request).await.unwrap();
    assert_eq!(status(&ending.bytes), Some(504));
    gateway.unclaimed().await;
    upstream.abort();
}

#[tokio::test]
async fn a_client_that_takes_no_response_is_given_up() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::start(upstream.address(), |it| it.server.write_idle_secs = 1).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    raw.send("GET /source/1073741824 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    // It reads nothing, but does not leave either.
    until("the request arrives", || upstream.open() == 1).await;
    gateway.unclaimed().await;
    until("the connection is closed", || upstream.open() == 0).await;
    drop(raw);
}
