//! Responses that are told apart by readers: one decision for each, whatever was asked.

use crate::gateway::Gateway;
use std::time::Duration;
use testkit::raw::{Raw, status};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Requests of all kinds; each gets the same decision.
const REQUESTS: [&str; 4] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
];

/// The status that each request gets when the sandbox sends this.
async fn statuses(response: &[u8], change: impl Fn(&mut hypervisor::config::Proxy)) -> Vec<u16> {
    let mut statuses = Vec::new();
    for request in REQUESTS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = listener.local_addr().unwrap();
        let gateway = Gateway::start(upstream, |it| change(&mut it.proxy)).await;
        let mut client = Raw::connect(gateway.address).await.unwrap();
        client.send(request).await.unwrap();
        let mut sandbox = Raw::accept(&listener).await.unwrap();
        sandbox.read_head().await.unwrap();
        // It may be cut off while it sends.
        let _ = sandbox.send(response).await;
        let head = client.read_head().await.unwrap();
        statuses.push(status(head).unwrap());
        drop(client);
        gateway.unclaimed().await;
    }
    statuses
}

#[tokio::test]
async fn what_rfc_9112_calls_an_error_is_a_502_whatever_was_asked() {
    for head in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 3",
        "HTTP/1.1 200 OK\r\nContent-Length: -2",
        "HTTP/1.1 200 OK\r\nX: y\r\n z: folded",
        "HTTP/1.1 200 OK\r\nX : y",
        "HTTP/1.1 200 OK\nX: y",
        "HTTP/1.1 200 OK\r\nX: \0",
        "HTTP/1.1 20 OK",
        "HTTP/2.0 200 OK",
        "\r\nHTTP/1.1 200 OK",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked",
    ] {
        let response = format!("{head}\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
        let statuses = statuses(response.as_bytes(), |_| ()).await;
        assert_eq!(statuses, [502; 4], "{head:?}");
    }
}

#[tokio::test]
async fn the_head_of_a_response_may_be_large_up_to_the_configured_limit() {
    let head = |lines: usize| {
        let cookie = format!("Set-Cookie: c={}; Path=/; HttpOnly\r\n", "v".repeat(59));
        let cookies = cookie.repeat(lines);
        format!("HTTP/1.1 299 Large\r\n{cookies}Content-Length: 2\r\n\r\nhi").into_bytes()
    };
    let limit =
        |bytes| move |it: &mut hypervisor::config::Proxy| it.max_response_header_bytes = bytes;
    for (lines, change, expected) in [
        (450, None, 299),
        (700, None, 299),
        (1023, None, 299),
        (1024, None, 502),
        (450, Some(32 * 1024), 502),
        (1000, Some(90 * 1024), 502),
        (1000, Some(96 * 1024), 299),
    ] {
        let change = |it: &mut hypervisor::config::Proxy| {
            if let Some(bytes) = change {
                limit(bytes)(it);
            }
        };
        let statuses = statuses(&head(lines), change).await;
        assert_eq!(statuses, [expected; 4], "{lines}");
    }
    let one = format!(
        "HTTP/1.1 299 Large\r\nX: {}\r\nContent-Length: 0\r\n\r\n",
        "x".repeat(400_000)
    );
    for (change, expected) in [(128 * 1024, 502), (512 * 1024, 299)] {
        let statuses = statuses(one.as_bytes(), limit(change)).await;
        assert_eq!(statuses, [expected; 4]);
    }
}

#[tokio::test]
async fn a_bad_response_is_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: a\r\nSec-Fetch-Mode: cors\r\n\r\n";
    client.send(request).await.unwrap();
    let mut sandbox = Raw::accept(&listener).await.unwrap();
    sandbox.read_head().await.unwrap();
    sandbox
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nhi")
        .await
        .unwrap();
    let response = client.read_until("}").await.unwrap();
    assert!(
        response.contains("two different values of Content-Length"),
        "{response}"
    );
}

#[tokio::test]
async fn a_silent_event_stream_lives_and_another_silent_body_is_cut() {
    for (kind, length, lives) in [
        ("text/event-stream", "", true),
        ("text/event-stream", "Transfer-Encoding: chunked\r\n", true),
        ("text/plain", "Content-Length: 9\r\n", false),
        ("text/plain", "Transfer-Encoding: chunked\r\n", false),
        ("text/plain", "", false),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = listener.local_addr().unwrap();
        let gateway = Gateway::start(upstream, |it| it.proxy.body_idle_secs = 1).await;
        let mut client = Raw::connect(gateway.address).await.unwrap();
        client.send(REQUESTS[0]).await.unwrap();
        let mut sandbox = Raw::accept(&listener).await.unwrap();
        sandbox.read_head().await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{length}\r\n");
        sandbox.send(head).await.unwrap();
        client.read_head().await.unwrap();
        let silence = timeout(Duration::from_millis(2500), client.read_until("\n"));
        let ended = silence.await;
        assert_eq!(ended.is_err(), lives, "{kind} {length}: {ended:?}");
        if lives {
            let chunk = if length.is_empty() {
                "data: x\n"
            } else {
                "8\r\ndata: x\n\r\n"
            };
            sandbox.send(chunk).await.unwrap();
            client.read_until("data: x\n").await.unwrap();
        } else {
            let ended = ended.unwrap().unwrap_err().to_string();
            assert!(!ended.contains("0\r\n"), "a clean end: {ended}");
            sandbox.read_to_end().await.unwrap();
        }
        drop(client);
        gateway.unclaimed().await;
    }
}

#[tokio::test]
async fn what_comes_along_with_the_head_is_a_502_or_arrives_before_the_cut() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, expected) in [("", 502), ("2", 502), ("x\r\n", 502), ("2\r\nhi\r\n", 200)] {
        for request in REQUESTS {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let gateway = Gateway::before(listener.local_addr().unwrap()).await;
            let mut client = Raw::connect(gateway.address).await.unwrap();
            client.send(request).await.unwrap();
            let mut sandbox = Raw::accept(&listener).await.unwrap();
            sandbox.read_until("\r\n\r\n").await.unwrap();
            sandbox.send(format!("{head}{body}")).await.unwrap();
            sandbox.finish().await.unwrap();
            let received = client.read_head().await.unwrap();
            if expected == 200 || status(&received) == Some(200) {
                // The end may also come later than the head.
                assert_eq!(status(&received), Some(200), "{body:?}");
                let rest = client.read_to_end().await.unwrap().bytes;
                assert!(!rest.ends_with(b"0\r\n\r\n"), "{body:?}: a clean end");
                assert!(expected == 502 || rest.ends_with(b"hi\r\n"), "{body:?}");
            } else {
                assert_eq!(status(&received), Some(502), "{body:?}");
            }
            gateway.unclaimed().await;
        }
    }
}
