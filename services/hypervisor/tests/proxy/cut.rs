//! The end of a drain: who can come back is told to, and answers go on.

use crate::gateway::{Gateway, client};
use crate::upgrades::open;
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use testkit::raw::{Raw, status};
use testkit::upstream::Upstream;
use testkit::wait::until;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[tokio::test]
async fn a_websocket_gets_1012_at_the_end_of_a_drain() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let (mut socket, _) = open(&gateway, "/ws", &[]).await.unwrap();
    socket.send(Message::text("before")).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::text("before")
    );
    gateway.drain_deadline.cancel();
    let Message::Close(Some(close)) = socket.next().await.unwrap().unwrap() else {
        panic!("no close frame");
    };
    assert_eq!(close.code, CloseCode::Restart);
    assert_eq!(u16::from(close.code), 1012);
    // Tungstenite replies by itself; then both ends are closed.
    assert!(socket.next().await.is_none_or(|it| it.is_err()));
    gateway.unclaimed().await;
    until("the upstream's socket is closed", || upstream.open() == 0).await;
}

/// A WebSocket whose upstream's bytes are written by hand.
async fn by_hand(listener: &TcpListener, gateway: &Gateway, protocol: &str) -> (Raw, Raw) {
    let mut client = Raw::connect(gateway.address).await.unwrap();
    let upgrade = format!("Connection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n");
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{upgrade}");
    client.send(request).await.unwrap();
    let mut upstream = Raw::accept(listener).await.unwrap();
    upstream.read_head().await.unwrap();
    let response = format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}");
    upstream.send(response).await.unwrap();
    assert_eq!(status(client.read_head().await.unwrap()), Some(101));
    (client, upstream)
}

#[tokio::test]
async fn the_close_frame_stands_between_frames_and_the_reply_reaches_the_sandbox() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let (mut client, mut upstream) = by_hand(&listener, &gateway, "WebSocket").await;
    // The first fragment, and half of a ping between the fragments.
    upstream.send(b"\x01\x03one\x89\x04pi").await.unwrap();
    client.read_until(b"\x01\x03one\x89\x04pi").await.unwrap();
    gateway.drain_deadline.cancel();
    // What follows in the same piece as the ping's end is not the client's any more.
    upstream.send(b"ng\x80\x03two").await.unwrap();
    client.read_until(b"ng\x88\x1f\x03\xf4").await.unwrap();
    client.read_until("replaced").await.unwrap();
    client.send(b"\x88\x82\0\0\0\0\x03\xf4").await.unwrap();
    upstream
        .read_until(b"\x88\x82\0\0\0\0\x03\xf4")
        .await
        .unwrap();
    upstream.send(b"\x88\x02\x03\xf4").await.unwrap();
    drop(upstream);
    // Nothing may come after a close frame.
    assert!(client.read_to_end().await.unwrap().bytes.is_empty());
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_websocket_whose_ends_say_nothing_is_closed_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let (client, upstream) = by_hand(&listener, &gateway, "websocket").await;
    gateway.drain_deadline.cancel();
    let ending = client.read_to_end().await.unwrap();
    assert!(ending.bytes.starts_with(b"\x88\x1f\x03\xf4"), "{ending:?}");
    assert!(upstream.read_to_end().await.unwrap().bytes.is_empty());
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_websocket_that_is_closing_gets_no_second_close_frame() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let (mut client, mut upstream) = by_hand(&listener, &gateway, "websocket").await;
    upstream.send(b"\x88\x02\x03\xe8").await.unwrap();
    client.read_until(b"\x88\x02\x03\xe8").await.unwrap();
    gateway.drain_deadline.cancel();
    assert!(client.read_to_end().await.unwrap().bytes.is_empty());
    gateway.unclaimed().await;
}

#[tokio::test]
async fn other_upgrades_are_just_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let (client, upstream) = by_hand(&listener, &gateway, "echo").await;
    gateway.drain_deadline.cancel();
    assert!(client.read_to_end().await.unwrap().bytes.is_empty());
    assert!(upstream.read_to_end().await.unwrap().bytes.is_empty());
    gateway.unclaimed().await;
}

#[tokio::test]
async fn an_event_stream_ends_cleanly_at_the_end_of_a_drain() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    raw.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    raw.read_until("data: hello\n\n\r\n").await.unwrap();
    gateway.drain_deadline.cancel();
    assert_eq!(raw.read_until("0\r\n\r\n").await.unwrap(), "0\r\n\r\n");
    gateway.unclaimed().await;
    until("the upstream's stream ends", || upstream.open() == 0).await;
}

#[tokio::test]
async fn an_ordinary_response_goes_on_after_the_end_of_a_drain() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let client = client();
    let pending = tokio::spawn(client.get(gateway.url("/").parse().unwrap()));
    let mut upstream = Raw::accept(&listener).await.unwrap();
    upstream.read_head().await.unwrap();
    upstream
        .send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
        .await
        .unwrap();
    let mut body = pending.await.unwrap().unwrap().into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "one"
    );
    gateway.drain_deadline.cancel();
    upstream.send("two").await.unwrap();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "two");
    gateway.unclaimed().await;
}
