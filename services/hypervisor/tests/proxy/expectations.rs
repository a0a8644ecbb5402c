//! `Expect: 100-continue`, and answers that come before the request is whole.

use crate::gateway::Gateway;
use testkit::raw::{Raw, exchange, status};
use testkit::upstream::Upstream;
use tokio::net::TcpListener;

const ASKING: &str = "HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";

#[tokio::test]
async fn the_upstream_says_when_to_continue() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    client.send(format!("POST / {ASKING}")).await.unwrap();
    let mut upstream = Raw::accept(&listener).await.unwrap();
    let head = upstream.read_head().await.unwrap();
    assert!(head.contains("\r\nExpect: 100-continue\r\n"), "{head}");
    upstream
        .send("HTTP/1.1 100 Continue\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(client.read_head().await.unwrap()), Some(100));
    client.send([0, 1, 2, 3]).await.unwrap();
    upstream.read_until([0, 1, 2, 3]).await.unwrap();
    upstream
        .send("HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(client.read_head().await.unwrap()), Some(204));
}

#[tokio::test]
async fn an_upstream_that_never_says_continue_gets_the_body_after_a_while() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    client.send(format!("POST / {ASKING}")).await.unwrap();
    let mut upstream = Raw::accept(&listener).await.unwrap();
    upstream.read_head().await.unwrap();
    assert_eq!(status(client.read_head().await.unwrap()), Some(100));
    client.send([0, 1, 2, 3]).await.unwrap();
    upstream.read_until([0, 1, 2, 3]).await.unwrap();
}

#[tokio::test]
async fn a_body_that_the_upstream_refuses_is_never_asked_for() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    client.send(format!("POST /refuse {ASKING}")).await.unwrap();
    let ending = client.read_to_end().await.unwrap();
    // Not 100, and then closed, for what comes next could be either body or request.
    assert_eq!(status(&ending.bytes), Some(413));
    gateway.unclaimed().await;
    testkit::wait::until("the connection is closed", || upstream.open() == 0).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_never_asked_for() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::start(upstream.address(), |it| it.proxy.max_body_bytes = 3).await;
    let ending = exchange(gateway.address, format!("POST /sink {ASKING}")).await;
    assert_eq!(status(ending.unwrap().bytes), Some(413));
    assert_eq!(upstream.accepted(), 0);
}

#[tokio::test]
async fn a_response_that_comes_before_the_body_is_passed_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\0")
        .await
        .unwrap();
    let mut upstream = Raw::accept(&listener).await.unwrap();
    upstream.read_head().await.unwrap();
    upstream
        .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
        .await
        .unwrap();
    client.read_until("early").await.unwrap();
    // The rest still gets where it was going.
    client.send([1, 2, 3]).await.unwrap();
    upstream.read_until([1, 2, 3]).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_refused_halfway_is_told_why() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let size = 16 * 1024 * 1024;
    let mut request =
        format!("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n").into_bytes();
    request.resize(request.len() + size, 0);
    for _ in 0..20 {
        let ending = exchange(gateway.address, &request).await.unwrap();
        assert_eq!(status(&ending.bytes), Some(413));
    }
    gateway.unclaimed().await;
}
