//! What is answered in a sandbox's stead: which sandbox, why, and what to do.

use crate::gateway::{Gateway, client, full, json, text};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hypervisor::config;
use hypervisor::proxy::{Failure, Proxy, Reason};
use hypervisor::request_context::RequestContext;
use testkit::raw::{Raw, exchange, status};
use testkit::upstream::Upstream;
use tokio::net::TcpListener;

/// An address where nobody listens.
async fn nowhere() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn nobody_listening_is_a_502_that_says_so() {
    let gateway = Gateway::before(nowhere().await).await;
    let response = client().get(gateway.url("/").parse().unwrap()).await;
    let response = response.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    let policy = response.headers()["content-security-policy"].clone();
    assert!(
        policy
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'; style-src 'sha256-")
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
    let page = text(response).await;
    for expected in [
        "<code>sandbox-live</code>",
        "Connection refused",
        "/auth/account",
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
    assert!(!page.contains("<script"));

    let call = Request::get(gateway.url("/")).header("accept", "application/json");
    let response = client()
        .request(call.body(full("")).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 502);
    let error = json(response).await;
    assert_eq!(error["error"], "bad_gateway");
    assert_eq!(error["sandbox"], "sandbox-live");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("Connection refused") && message.contains("Try again"));
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_response_that_does_not_begin_is_a_504() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::start(upstream.address(), |it| it.proxy.response_secs = 1).await;
    for body in ["", "a body"] {
        let call = Request::post(gateway.url("/hang")).header("sec-fetch-mode", "cors");
        let response = client().request(call.body(full(body)).unwrap()).await;
        let response = response.unwrap();
        assert_eq!(response.status(), 504);
        assert_eq!(json(response).await["error"], "gateway_timeout");
    }
    gateway.unclaimed().await;
    testkit::wait::until("the connections are closed", || upstream.open() == 0).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_413() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::start(upstream.address(), |it| it.proxy.max_body_bytes = 9).await;
    let announced = "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789";
    let ending = exchange(gateway.address, announced).await.unwrap();
    assert_eq!(status(&ending.bytes), Some(413));
    assert_eq!(upstream.seen("/sink"), 0);

    let chunks = "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
    let chunked = format!(
        "POST /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nSec-Fetch-Mode: cors\r\n\r\n{chunks}"
    );
    let ending = exchange(gateway.address, chunked).await.unwrap();
    let response = String::from_utf8_lossy(&ending.bytes).into_owned();
    assert_eq!(status(&response), Some(413));
    assert!(
        response.contains(r#""error":"body_too_large""#),
        "{response}"
    );

    let call = Request::post(gateway.url("/sink")).body(full("012345678"));
    assert_eq!(client().request(call.unwrap()).await.unwrap().status(), 200);
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_body_with_broken_framing_is_a_400() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for chunks in [
        "5\r\nbody\r\n0\r\n\r\n",
        "x\r\n",
        "4\r\nbody0\r\n\r\n",
        "-1\r\n\r\n",
    ] {
        let request =
            format!("POST /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        let ending = exchange(gateway.address, request).await.unwrap();
        assert_eq!(status(&ending.bytes), Some(400), "{chunks:?}");
    }
    gateway.unclaimed().await;
}

#[tokio::test]
async fn what_is_not_http_is_a_502() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(128 * 1024));
    for received in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        &long,
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        // Nobody asked for it.
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        // Codings that nobody asked for.
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::before(listener.local_addr().unwrap()).await;
        let received = received.to_owned();
        let sent = received.clone();
        let upstream = tokio::spawn(async move {
            let mut raw = Raw::accept(&listener).await.unwrap();
            raw.read_head().await.unwrap();
            // Nobody has to read all of what is too long.
            let _ = raw.send(sent).await;
        });
        let response = client().get(gateway.url("/").parse().unwrap()).await;
        assert_eq!(response.unwrap().status(), 502, "{received:?}");
        upstream.await.unwrap();
    }
}

#[tokio::test]
async fn connect_is_not_for_sandboxes() {
    let gateway = Gateway::before(nowhere().await).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    raw.send("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(raw.read_head().await.unwrap()), Some(501));
}

#[tokio::test]
async fn a_sandbox_that_is_not_available_is_a_503_with_all_that_it_printed() {
    let cause = "it crashed 5 times:\nerror: <no> config\n  at line 3";
    let failure = Failure::unavailable("sandbox-dev", cause, 5);

    let proxy = Proxy::new(&config::Proxy::default(), "/auth/account");
    let response = proxy.failure_response(&HeaderMap::new(), &failure, &RequestContext::default());
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    let page = response.into_body().collect().await.unwrap().to_bytes();
    let page = String::from_utf8_lossy(&page);
    let printed = "<pre>it crashed 5 times:\nerror: &#60;no&#62; config\n  at line 3</pre>";
    assert!(
        page.contains("sandbox-dev") && page.contains(printed),
        "{page}"
    );

    let call = HeaderMap::from_iter([("sec-fetch-mode".parse().unwrap(), "cors".parse().unwrap())]);
    let response = proxy.failure_response(&call, &failure, &RequestContext::default());
    assert_eq!(response.headers()["retry-after"], "5");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let error: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(error["error"], "sandbox_unavailable");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("at line 3. Try again")
    );
}

#[tokio::test]
async fn a_sandbox_that_is_stopped_by_hand_or_held_says_so_and_how_to_go_on() {
    let how = "by ada@example.org on 2026-11-27 at 00:20 UTC".to_owned();
    for (reason, code, heading, says) in [
        (
            Reason::StoppedByHand { how },
            "stopped_by_hand",
            "<h1>Stopped</h1>",
            "was stopped by ada@example.org on 2026-11-27 at 00:20 UTC, and stays so",
        ),
        (
            Reason::Held,
            "sandbox_held",
            "<h1>One moment</h1>",
            "is being changed, which takes longer than a request may wait.",
        ),
    ] {
        let sandbox = "sandbox-live".to_owned();
        let failure = Failure { sandbox, reason };
        let proxy = Proxy::new(&config::Proxy::default(), "/auth/account");
        let response =
            proxy.failure_response(&HeaderMap::new(), &failure, &RequestContext::default());
        assert_eq!(response.status(), 503);
        assert!(response.headers().contains_key("retry-after"));
        let page = response.into_body().collect().await.unwrap().to_bytes();
        let page = String::from_utf8_lossy(&page);
        for part in [heading, says, "<a href=\"/auth/account\">"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let mode = ("sec-fetch-mode".parse().unwrap(), "cors".parse().unwrap());
        let response = proxy.failure_response(
            &HeaderMap::from_iter([mode]),
            &failure,
            &RequestContext::default(),
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let error: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(error["error"], code);
    }
}
