//! A bodyless idempotent request is tried once more when a pooled connection proved dead.

use crate::gateway::{AnyClient, Gateway, client, full};
use http::{Method, Request};
use testkit::raw::Raw;
use testkit::upstream::Upstream;
use tokio::net::TcpListener;

async fn ask(
    client: &AnyClient,
    gateway: &Gateway,
    method: Method,
    path: &str,
    body: &'static str,
) -> u16 {
    let request = Request::builder().method(method).uri(gateway.url(path));
    let request = request.body(full(body)).unwrap();
    client.request(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_bodyless_idempotent_request_is_tried_once_more() {
    for method in [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::PUT,
        Method::DELETE,
    ] {
        let upstream = Upstream::start().await.unwrap();
        let gateway = Gateway::before(upstream.address()).await;
        let client = client();
        for expected in [1, 3] {
            assert_eq!(
                ask(&client, &gateway, method.clone(), "/die/reused", "").await,
                200
            );
            assert_eq!(upstream.seen("/die/reused"), expected, "{method}");
            gateway.unclaimed().await;
        }
    }
}

#[tokio::test]
async fn nothing_is_tried_a_third_time() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let client = client();
    // A connection that never answered is no dead one.
    assert_eq!(ask(&client, &gateway, Method::GET, "/die", "").await, 502);
    assert_eq!(upstream.seen("/die"), 1);
    assert_eq!(
        ask(&client, &gateway, Method::GET, "/health", "").await,
        200
    );
    assert_eq!(ask(&client, &gateway, Method::GET, "/die", "").await, 502);
    assert_eq!(upstream.seen("/die"), 3);
}

#[tokio::test]
async fn nothing_that_could_be_done_twice_is_tried_again() {
    for (method, body) in [
        (Method::POST, ""),
        (Method::POST, "body"),
        (Method::PUT, "body"),
    ] {
        let upstream = Upstream::start().await.unwrap();
        let gateway = Gateway::before(upstream.address()).await;
        let client = client();
        assert_eq!(
            ask(&client, &gateway, Method::GET, "/health", "").await,
            200
        );
        assert_eq!(
            ask(&client, &gateway, method.clone(), "/die/reused", body).await,
            502
        );
        assert_eq!(upstream.seen("/die/reused"), 1, "{method} {body}");
    }
}

#[tokio::test]
async fn a_response_that_had_begun_is_not_asked_for_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let upstream = tokio::spawn(async move {
        let mut raw = Raw::accept(&listener).await.unwrap();
        raw.read_head().await.unwrap();
        raw.send("HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        raw.read_head().await.unwrap();
        raw.send("HTTP/1.1 20").await.unwrap();
        listener
    });
    let client = client();
    assert_eq!(ask(&client, &gateway, Method::GET, "/", "").await, 204);
    assert_eq!(ask(&client, &gateway, Method::GET, "/", "").await, 502);
    let listener = upstream.await.unwrap();
    // Nobody has come a second time.
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(200), listener.accept());
    assert!(waiting.await.is_err());
}

#[tokio::test]
async fn a_sandbox_that_was_started_again_is_found_by_the_first_request() {
    let first = Upstream::start().await.unwrap();
    let address = first.address();
    let gateway = Gateway::before(address).await;
    let client = client();
    assert_eq!(
        ask(&client, &gateway, Method::GET, "/health", "").await,
        200
    );
    drop(first);
    let mut second = None;
    while second.is_none() {
        // The port is free once the first one's task is gone.
        tokio::task::yield_now().await;
        second = Upstream::start_at(address).await.ok();
    }
    assert_eq!(
        ask(&client, &gateway, Method::GET, "/health", "").await,
        200
    );
}

#[tokio::test]
async fn the_second_try_is_the_first_one_byte_for_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    let upgrade = "Connection: Upgrade\r\nUpgrade: echo\r\n";
    let request = format!("GET /a?b HTTP/1.1\r\nHOST: a\r\nX-Case: Kept\r\n{upgrade}\r\n");
    client.send(&request).await.unwrap();
    let mut sandbox = Raw::accept(&listener).await.unwrap();
    sandbox.read_head().await.unwrap();
    sandbox
        .send("HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    client.read_head().await.unwrap();
    gateway.unclaimed().await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    client.send(&request).await.unwrap();
    let first = sandbox.read_head_bytes().await.unwrap();
    drop(sandbox);
    let mut sandbox = Raw::accept(&listener).await.unwrap();
    assert_eq!(sandbox.read_head_bytes().await.unwrap(), first);
    let switched = format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}\r\n");
    sandbox.send(switched).await.unwrap();
    client.read_until("101 Switching").await.unwrap();
    client.read_head().await.unwrap();
    client.send("ping").await.unwrap();
    sandbox.read_until("ping").await.unwrap();
}
