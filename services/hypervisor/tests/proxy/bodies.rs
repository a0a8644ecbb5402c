//! Bodies arrive whole, in order and as they come.

use crate::gateway::{AnyBody, Gateway, MARK, client, client_of_http2, full, json, text};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use testkit::raw::Raw;
use testkit::upstream::Upstream;
use testkit::upstream::pattern::{self, Tally};
use tokio::net::TcpListener;

const SIZES: [u64; 4] = [0, 1, 65_537, 1024 * 1024];

/// So many bytes of the pattern, without a length.
fn chunked(length: u64) -> AnyBody {
    let pieces = stream::unfold(0, move |offset| async move {
        let piece = pattern::piece(offset, length - offset);
        let next = offset + piece.len() as u64;
        (!piece.is_empty()).then_some((Ok(Frame::data(piece)), next))
    });
    StreamBody::new(pieces).boxed_unsync()
}

fn sized(length: u64) -> AnyBody {
    let mut whole = Vec::new();
    while (whole.len() as u64) < length {
        let offset = whole.len() as u64;
        whole.extend(pattern::piece(offset, length - offset));
    }
    full(whole)
}

#[tokio::test]
async fn bodies_of_every_size_arrive_whole_in_both_directions() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for client in [client(), client_of_http2()] {
        for size in SIZES {
            for body in [sized(size), chunked(size)] {
                let request = Request::post(gateway.url("/sink")).body(body).unwrap();
                let tally = json(client.request(request).await.unwrap()).await;
                assert_eq!(tally, json!({"bytes": size, "intact": true}));
            }
            for query in ["", "?chunked"] {
                let url = gateway.url(&format!("/source/{size}{query}"));
                let response = client.get(url.parse().unwrap()).await.unwrap();
                let length = response.headers().get("content-length").cloned();
                let expected = query.is_empty().then(|| HeaderValue::from(size));
                assert_eq!(length, expected, "{size}{query}");
                let body = response.into_body().collect().await.unwrap().to_bytes();
                let mut tally = Tally::default();
                tally.add(&body);
                assert_eq!(tally, Tally::of(size));
            }
        }
    }
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_get_may_have_a_body_without_a_length() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    raw.send(
        "GET /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\0\r\n0\r\n\r\n",
    )
    .await
    .unwrap();
    let response = raw.read_until("}").await.unwrap();
    assert!(
        response.ends_with(r#"{"bytes":1,"intact":true}"#),
        "{response}"
    );
}

#[tokio::test]
async fn trailers_pass_in_both_directions() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    let chunks = "4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n";
    raw.send(format!(
        "POST /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\
         Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
    ))
    .await
    .unwrap();
    let received = raw.read_until("x-answer: done\r\n\r\n").await.unwrap();
    assert!(received.contains("\r\ntrailer: x-answer\r\n"), "{received}");
    assert!(received.contains(r#"[["x-sum","42"]]"#), "{received}");

    let body = [
        Ok(Frame::data(Bytes::from_static(b"body"))),
        Ok(Frame::trailers(HeaderMap::from_iter([(
            "x-sum".parse().unwrap(),
            HeaderValue::from_static("43"),
        )]))),
    ];
    let request = Request::post(gateway.url("/trailers"))
        .header("te", "trailers")
        .header("trailer", "x-sum")
        .body(StreamBody::new(stream::iter(body)).boxed_unsync())
        .unwrap();
    let response = client_of_http2().request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-answer"], "done");
    assert_eq!(body.to_bytes(), r#"[["x-sum","43"]]"#);
}

#[tokio::test]
async fn trailers_say_no_more_than_heads_may() {
    let trailers = "X-ChoirOS-Role: dev\r\nx_forwarded_for: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\
        Cookie: choiros=t\r\nKeep-Alive: 1\r\nX-Sum: 42\r\n\
        Alt-Svc: clear\r\nSet-Cookie: choiros=t\r\nX-Accel-Redirect: /etc\r\n";
    let names = trailers.lines().map(|line| line.split(':').next().unwrap());
    let names = names.collect::<Vec<_>>().join(", ");
    let framed = format!(
        "TE: trailers\r\nTrailer: {names}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n{trailers}\r\n"
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    raw.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\n{framed}"
    ))
    .await
    .unwrap();
    let mut sandbox = Raw::accept(&listener).await.unwrap();
    sandbox.read_head().await.unwrap();
    let body = sandbox.read_until("\r\n\r\n").await.unwrap();
    let mut lines: Vec<_> = body.lines().skip(3).filter(|it| !it.is_empty()).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["alt-svc: clear", "x-accel-redirect: /etc", "x-sum: 42"]
    );
    sandbox
        .send(format!("HTTP/1.1 200 OK\r\n{framed}"))
        .await
        .unwrap();
    raw.read_head().await.unwrap();
    let body = raw.read_until("\r\n\r\n").await.unwrap();
    for kept in ["x-sum: 42\r\n", "x-choiros-role: dev\r\n"] {
        assert!(body.contains(kept), "{body}");
    }
    for gone in ["alt-svc", "set-cookie", "x-accel-redirect", "keep-alive"] {
        assert!(!body.contains(gone), "{body}");
    }

    let request = Request::post(gateway.url("/"))
        .header("trailer", "x-choiros-role, x-forwarded-for, cookie")
        .body(
            StreamBody::new(stream::iter([
                Ok(Frame::data(Bytes::from_static(b"body"))),
                Ok(Frame::trailers(HeaderMap::from_iter(
                    ["x-choiros-role", "x-forwarded-for", "cookie"]
                        .map(|name| (name.parse().unwrap(), HeaderValue::from_static("choiros=x"))),
                ))),
            ]))
            .boxed_unsync(),
        )
        .unwrap();
    let client = client_of_http2();
    let response = tokio::spawn(client.request(request));
    sandbox.read_head().await.unwrap();
    let body = sandbox.read_until("\r\n\r\n").await.unwrap();
    assert_eq!(body, "4\r\nbody\r\n0\r\n\r\n");
    drop((sandbox, response));
}

#[tokio::test]
async fn events_arrive_one_by_one() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for client in [client(), client_of_http2()] {
        let url = gateway.url("/events").parse().unwrap();
        let mut body = client.get(url).await.unwrap().into_body();
        let mut next = async || body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(next().await, "data: hello\n\n");
        for number in 0..5 {
            // Not sent before the one before it has arrived.
            assert_eq!(upstream.emit(&number.to_string()), 1);
            assert_eq!(next().await, format!("data: {number}\n\n"));
        }
        drop(body);
        gateway.unclaimed().await;
        testkit::wait::until("the upstream's stream ends", || upstream.open() == 0).await;
    }
}

#[tokio::test]
async fn responses_without_a_body_keep_their_heads() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let client = client();
    let head = Request::head(gateway.url("/source/1000"));
    let response = client.request(head.body(full("")).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-length"], "1000");
    assert_eq!(text(response).await, "");
    for status in [204, 304] {
        let url = gateway.url(&format!("/reply?status={status}&header=etag:%22x%22"));
        let response = client.get(url.parse().unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["etag"], format!("\"{MARK}~x\""));
        assert_eq!(text(response).await, "");
    }
    gateway.unclaimed().await;
}
