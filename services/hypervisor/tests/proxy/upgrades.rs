//! A WebSocket, as any other upgrade, passes unchanged, and from our own pages alone.

use crate::gateway::{Gateway, ORIGIN};
use futures_util::{SinkExt, StreamExt};
use http::Response;
use testkit::raw::{Raw, status};
use testkit::upstream::{Upstream, pattern};
use testkit::wait::until;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::tungstenite::{Bytes, Error};
use tokio_tungstenite::{WebSocketStream, client_async};

pub type Socket = WebSocketStream<TcpStream>;

/// Opens a WebSocket as a browser on our own page does.
pub async fn open(
    gateway: &Gateway,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Socket, Response<Option<Vec<u8>>>), Error> {
    let url = format!("ws://{}{path}", gateway.address);
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    client_async(request, stream).await
}

#[tokio::test]
async fn messages_of_every_kind_pass_unchanged() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let (mut socket, _) = open(&gateway, "/ws", &[("origin", ORIGIN)]).await.unwrap();
    for message in [
        Message::text("grüß dich"),
        Message::text(""),
        Message::binary(Bytes::from_static(&[0, 255, 0])),
        Message::binary(vec![7; 1024 * 1024]),
    ] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::Ping("there?".into())).await.unwrap();
    let response = socket.next().await.unwrap().unwrap();
    assert_eq!(response, Message::Pong("there?".into()));
    socket.send(Message::text("ping you")).await.unwrap();
    let ping = socket.next().await.unwrap().unwrap();
    assert_eq!(ping, Message::Ping("you".into()));
    assert_eq!(gateway.claims(), 1);
    socket.close(None).await.unwrap();
    gateway.unclaimed().await;
    until("the upstream's socket is closed", || upstream.open() == 0).await;
}

#[tokio::test]
async fn fragments_of_64_kib_pass_unchanged() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let (mut socket, _) = open(&gateway, "/ws", &[]).await.unwrap();
    socket.send(Message::text("fragments 9")).await.unwrap();
    let (mut pings, mut tally) = (0, pattern::Tally::default());
    while tally.bytes == 0 {
        match socket.next().await.unwrap().unwrap() {
            Message::Ping(_) => pings += 1,
            Message::Binary(whole) => tally.add(&whole),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pings, 8);
    assert_eq!(tally, pattern::Tally::of(9 * 64 * 1024));
}

#[tokio::test]
async fn close_codes_pass_in_both_directions() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let (mut socket, _) = open(&gateway, "/ws", &[]).await.unwrap();
    socket
        .send(Message::text("close 4001 so long"))
        .await
        .unwrap();
    let expected = CloseFrame {
        code: 4001.into(),
        reason: "so long".into(),
    };
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::Close(Some(expected))
    );
    assert!(socket.next().await.is_none_or(|it| it.is_err()));

    let (mut socket, _) = open(&gateway, "/ws", &[]).await.unwrap();
    let goodbye = CloseFrame {
        code: CloseCode::Away,
        reason: "leaving".into(),
    };
    socket.close(Some(goodbye.clone())).await.unwrap();
    // The upstream answers with what it got.
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::Close(Some(goodbye))
    );
    gateway.unclaimed().await;
}

#[tokio::test]
async fn the_upstreams_choice_of_subprotocol_and_its_headers_are_passed_on() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let offer = [("sec-websocket-protocol", "chat.v1, chat.v2")];
    let (_, response) = open(&gateway, "/ws", &offer).await.unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v2");
    assert_eq!(response.headers()["x-upstream"], "was here");
}

#[tokio::test]
async fn an_upstream_that_refuses_an_upgrade_is_passed_on() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let Err(Error::Http(response)) = open(&gateway, "/ws/refuse", &[]).await else {
        panic!("not refused");
    };
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-why"], "no upgrades");
    gateway.unclaimed().await;
}

#[tokio::test]
async fn only_our_own_pages_may_upgrade() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for (headers, allowed) in [
        (&[][..], true),
        (
            &[("origin", ORIGIN), ("sec-fetch-site", "same-origin")],
            true,
        ),
        (&[("origin", "http://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("origin", "http://localhost")], false),
        (&[("origin", "https://localhost:9090")], false),
        (&[("origin", "http://localhost:9090.evil.example")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-mode", "websocket")], false),
    ] {
        let before = upstream.seen("/ws");
        match open(&gateway, "/ws", headers).await {
            Ok(_) => assert!(allowed, "{headers:?}"),
            Err(Error::Http(response)) => {
                assert!(!allowed, "{headers:?}");
                assert_eq!(response.status(), 403);
                let error = response.into_body().unwrap();
                assert!(String::from_utf8(error).unwrap().contains("foreign_origin"));
                assert_eq!(upstream.seen("/ws"), before);
            }
            Err(error) => panic!("{headers:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn bytes_that_come_along_with_the_heads_are_not_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    let upgrade = "Connection: Upgrade\r\nUpgrade: echo/1\r\n\r\n";
    client
        .send(format!("GET / HTTP/1.1\r\nHost: a\r\n{upgrade}early bird"))
        .await
        .unwrap();
    let mut upstream = Raw::accept(&listener).await.unwrap();
    let head = upstream.read_head().await.unwrap();
    assert!(head.contains("\r\nUpgrade: echo/1\r\n"), "{head}");
    assert!(head.contains("\r\nConnection: upgrade\r\n"), "{head}");
    upstream
        .send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nX-A: b\r\n{upgrade}worm"
        ))
        .await
        .unwrap();
    let head = client.read_head().await.unwrap();
    assert_eq!(status(&head), Some(101));
    assert!(head.contains("x-a: b\r\n") && head.contains("upgrade: echo/1\r\n"));
    client.read_until("worm").await.unwrap();
    upstream.read_until("early bird").await.unwrap();

    // One side may be done before the other.
    client.finish().await.unwrap();
    upstream.send("and so on").await.unwrap();
    client.read_until("and so on").await.unwrap();
    assert_eq!(gateway.claims(), 1);
    drop(upstream);
    assert!(client.read_to_end().await.unwrap().bytes.is_empty());
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_websocket_along() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let (socket, _) = open(&gateway, "/ws", &[]).await.unwrap();
    until("the socket is open", || upstream.open() == 1).await;
    drop(socket);
    gateway.unclaimed().await;
    until("the upstream's socket is closed", || upstream.open() == 0).await;
}

#[tokio::test]
async fn an_upstream_that_dies_takes_its_websockets_along() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let (mut socket, _) = open(&gateway, "/ws", &[]).await.unwrap();
    drop(upstream);
    assert!(socket.next().await.unwrap().is_err());
    gateway.unclaimed().await;
}

/// For the connection to this port that keeps quiet: after how many seconds the kernel asks for the
/// far end.
fn asked_after(port: u16) -> Option<u64> {
    let far_end = format!("0100007F:{port:04X}");
    let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
    connections.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // Of the timers, 02 is the one that keeps a connection alive. Its unit is 10 ms.
        let (timer, left) = fields.get(5)?.split_once(':')?;
        let found = fields[2] == far_end && timer == "02";
        found.then(|| u64::from_str_radix(left, 16).unwrap() / 100)
    })
}

#[tokio::test]
async fn a_sandbox_that_is_gone_without_a_word_is_noticed_in_seconds() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let (_socket, _) = open(&gateway, "/ws", &[("origin", ORIGIN)]).await.unwrap();
    let port = upstream.address().port();
    until("the connection is quiet", || asked_after(port).is_some()).await;
    assert!(asked_after(port).unwrap() <= 10);
}
