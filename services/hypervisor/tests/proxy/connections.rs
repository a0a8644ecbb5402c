//! A client's connection on the fast path: what comes in on it, in which order, and its end.

use crate::gateway::Gateway;
use std::time::Duration;
use testkit::raw::{Raw, exchange, status};
use testkit::upstream::Upstream;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// Long enough for the other end, in the same process, to have read what was sent.
const MOMENT: Duration = Duration::from_millis(2);

/// Answers without what differs from one time to the next.
fn undated(responses: &[u8]) -> String {
    let responses = String::from_utf8_lossy(responses);
    let lines = responses.split_inclusive("\r\n");
    lines.filter(|line| !line.starts_with("date: ")).collect()
}

/// How many responses there are.
fn count(responses: &[u8]) -> usize {
    String::from_utf8_lossy(responses)
        .matches("HTTP/1.1 ")
        .count()
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_however_they_are_split() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let plain = [
        "GET /reply?header=x-number:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\0\x01\x02",
        "HEAD /source/9 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /source/3?chunked HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /reply?status=204 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ];
    let mut expected = String::new();
    for request in plain {
        // One at a time; each connection ends since the last request is added.
        let alone = format!("{request}{}", plain[4]);
        let ending = exchange(gateway.address, alone).await.unwrap();
        let response = undated(&ending.bytes);
        let response = response.rsplit_once("HTTP/1.1 204").unwrap().0;
        expected.push_str(response);
    }
    expected.push_str("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
    let whole = plain.concat();
    for at in 1..whole.len() {
        let (first, second) = whole.split_at(at);
        let mut raw = Raw::connect(gateway.address).await.unwrap();
        raw.send(first).await.unwrap();
        sleep(MOMENT).await;
        raw.send(second).await.unwrap();
        let ending = raw.read_to_end().await.unwrap();
        assert_eq!(undated(&ending.bytes), expected, "split at {at}");
        assert!(ending.clean, "split at {at}");
    }
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_connection_goes_on_where_it_is_no_longer_plain() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let whole = "GET /reply?header=x-number:1 HTTP/1.1\r\nHost: a\r\n\r\n\
        POST /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\0\x01\r\n0\r\n\r\n\
        GET /reply?header=x-number:3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for at in 1..whole.len() {
        let (first, second) = whole.split_at(at);
        let mut raw = Raw::connect(gateway.address).await.unwrap();
        raw.send(first).await.unwrap();
        sleep(MOMENT).await;
        raw.send(second).await.unwrap();
        let responses = String::from_utf8(raw.read_to_end().await.unwrap().bytes).unwrap();
        let order = [
            "x-number: 1\r\n",
            r#"{"bytes":2,"intact":true}"#,
            "x-number: 3\r\n",
        ];
        let places: Vec<_> = order.iter().map(|it| responses.find(it).unwrap()).collect();
        assert!(places.is_sorted(), "split at {at}: {responses}");
        assert_eq!(count(responses.as_bytes()), 3, "split at {at}: {responses}");
    }
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_plain_connection_may_still_be_upgraded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    client
        .send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut upstream = Raw::accept(&listener).await.unwrap();
    upstream.read_head().await.unwrap();
    upstream
        .send("HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(client.read_head().await.unwrap()), Some(204));

    let upgrade = "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{upgrade}early");
    client.send(request).await.unwrap();
    upstream.read_head().await.unwrap();
    let response = format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}");
    upstream.send(response).await.unwrap();
    assert_eq!(status(client.read_head().await.unwrap()), Some(101));
    upstream.read_until("early").await.unwrap();
    upstream.send("back").await.unwrap();
    client.read_until("back").await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_answered_early_goes_on_and_so_does_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none";
    client.send(head).await.unwrap();
    let mut upstream = Raw::accept(&listener).await.unwrap();
    upstream.read_until("one").await.unwrap();
    upstream
        .send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(client.read_head().await.unwrap()), Some(202));
    client.send("two").await.unwrap();
    upstream.read_until("two").await.unwrap();
    client
        .send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let head = upstream.read_head().await.unwrap();
    assert!(head.starts_with("GET /next HTTP/1.1\r\n"), "{head}");
    upstream
        .send("HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(client.read_head().await.unwrap()), Some(204));
    gateway.unclaimed().await;
}

#[tokio::test]
async fn what_is_left_of_a_refused_upload_is_no_request() {
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for close in ["", "Connection: close\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::before(listener.local_addr().unwrap()).await;
        let mut client = Raw::connect(gateway.address).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n{smuggled}");
        client.send(head).await.unwrap();
        let mut upstream = Raw::accept(&listener).await.unwrap();
        upstream.read_until(smuggled).await.unwrap();
        let refusal =
            format!("HTTP/1.1 413 Content Too Large\r\n{close}Content-Length: 2\r\n\r\nno");
        upstream.send(refusal).await.unwrap();
        drop(upstream);
        client.read_until("no").await.unwrap();
        // Whoever reads on has this for a request; it may also be too late to send it.
        let _ = client.send(smuggled.repeat(9)).await;
        let ending = client.read_to_end().await.unwrap();
        assert_eq!(ending.bytes, b"", "{close:?}");
        gateway.unclaimed().await;
        let again = tokio::time::timeout(MOMENT, listener.accept()).await;
        assert!(again.is_err(), "it was sent to the sandbox");
    }
}

#[tokio::test]
async fn a_client_that_asks_for_the_end_gets_it() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for method in ["GET", "HEAD"] {
        let last =
            format!("{method} /source/9999 HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n");
        // What comes behind it is not answered, and does not have the response lost.
        let behind = "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n".repeat(999);
        for request in [last.clone(), last + &behind] {
            let ending = exchange(gateway.address, request).await.unwrap();
            let response = String::from_utf8_lossy(&ending.bytes).into_owned();
            assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
            assert_eq!(count(&ending.bytes), 1, "{response}");
            assert!(ending.clean, "{method}");
            assert!(ending.bytes.len() > 9999 || method == "HEAD");
        }
    }
    assert_eq!(upstream.seen("/behind"), 0);
    gateway.unclaimed().await;
}

#[tokio::test]
async fn at_a_shutdown_each_response_is_the_last_of_its_connection() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    let request = "GET /reply HTTP/1.1\r\nHost: a\r\n\r\n";
    raw.send(request).await.unwrap();
    let head = raw.read_head().await.unwrap();
    assert!(!head.contains("connection: close"), "{head}");
    gateway.stop();
    // The client could not know.
    raw.send(request.repeat(2)).await.unwrap();
    let ending = raw.read_to_end().await.unwrap();
    let response = String::from_utf8_lossy(&ending.bytes).into_owned();
    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    assert_eq!(count(&ending.bytes), 1, "{response}");
    assert!(ending.clean);
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_sandbox_that_ends_its_connection_does_not_end_the_clients() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    for number in 1..=3 {
        let target = "/reply?header=connection:close";
        raw.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await
            .unwrap();
        let head = raw.read_head().await.unwrap();
        assert_eq!(status(&head), Some(200));
        assert!(!head.contains("connection"), "{head}");
        assert_eq!(upstream.accepted(), number);
        gateway.unclaimed().await;
    }
}

#[tokio::test]
async fn a_head_has_so_long_in_all_and_not_for_each_byte() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::start(upstream.address(), |it| {
        it.server.header_read_secs = 1;
    })
    .await;
    for first in ["", "GET /reply HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut raw = Raw::connect(gateway.address).await.unwrap();
        raw.send(first).await.unwrap();
        if !first.is_empty() {
            raw.read_head().await.unwrap();
        }
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nX: ").await.unwrap();
        let mut sent = 0;
        while sent < 100 && raw.send("x").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
            sent += 1;
        }
        assert!(sent < 100, "it may go on like this");
        assert!(raw.read_to_end().await.unwrap().bytes.is_empty());
    }
}
