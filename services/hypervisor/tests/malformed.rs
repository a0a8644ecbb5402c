//! What RFC 9112 calls an error gets 400 and a closed connection, whatever hyper makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::gateway;
use std::net::SocketAddr;
use testkit::malformed::REQUESTS;
use testkit::person::Person;
use testkit::raw::{Ending, Raw, exchange};

/// Chunked bodies, each malformed in one way; sent with a session, so that they are read.
const MALFORMED_CHUNKS: &[(&str, &str)] = &[
    ("a size that is no number", "x\r\n\r\n0\r\n\r\n"),
    ("an empty size", "\r\nhello\r\n0\r\n\r\n"),
    ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
    ("a size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n"),
    (
        "a size beyond 64 bits",
        "11111111111111111\r\nhello\r\n0\r\n\r\n",
    ),
    ("a space after the size", "5 \r\nhello\r\n0\r\n\r\n"),
    ("a bare LF after the size", "5\nhello\r\n0\r\n\r\n"),
    ("data longer than its size", "5\r\nhello!!\r\n0\r\n\r\n"),
    ("no CRLF after the data", "5\r\nhello0\r\n\r\n"),
    (
        "a trailer without a colon",
        "5\r\nhello\r\n0\r\nnonsense\r\n\r\n",
    ),
    (
        "a Content-Length for a trailer",
        "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    ),
];

/// How many responses there are in this text.
fn answers(text: &str) -> usize {
    let after = text.split("HTTP/1.1 ").skip(1);
    after
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .count()
}

/// What comes back must be one 400 that says why, and then a clean end.
#[track_caller]
fn refused(what: &str, response: &Ending) {
    let text = String::from_utf8_lossy(&response.bytes);
    assert!(text.starts_with("HTTP/1.1 400 "), "{what}: {text:?}");
    let says_why = text.contains("\"message\":\"") || text.contains("<h1>");
    assert!(says_why, "{what}: {text:?}");
    assert!(
        text.contains("\r\nconnection: close\r\n"),
        "{what}: {text:?}"
    );
    assert_eq!(answers(&text), 1, "{what}: {text:?}");
    assert!(response.clean, "{what}: the connection was reset");
}

/// As [`exchange`], a byte at a time.
async fn trickle(address: SocketAddr, bytes: &[u8]) -> Ending {
    let mut raw = Raw::connect(address).await.unwrap();
    for byte in bytes {
        if raw.send([*byte]).await.is_err() {
            break; // Refused before the end, as it may be.
        }
        tokio::task::yield_now().await;
    }
    raw.read_to_end().await.unwrap()
}

#[tokio::test]
async fn every_malformed_request_gets_400_and_a_closed_connection() {
    assert!(REQUESTS.len() >= 40);
    let gateway = gateway().await;
    for (what, request) in REQUESTS {
        // What would follow is a request of its own, which a confused reader would answer.
        let smuggled = format!("{request}GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        for bytes in [request.as_bytes(), smuggled.as_bytes()] {
            let response = exchange(gateway.address(), bytes).await;
            refused(
                what,
                &response.unwrap_or_else(|error| panic!("{what}: {error:#}")),
            );
        }
        // A byte at a time the reader must come to the same verdict.
        refused(what, &trickle(gateway.address(), request.as_bytes()).await);
    }
}

#[tokio::test]
async fn every_malformed_chunk_gets_400_and_a_closed_connection() {
    let gateway = gateway().await;
    let cookie = Person::register(&gateway, "chunks").await.unwrap().cookie();
    for (what, body) in MALFORMED_CHUNKS {
        let request = format!(
            "POST /logs/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        );
        refused(
            what,
            &exchange(gateway.address(), request.as_bytes())
                .await
                .unwrap(),
        );
    }
}

#[tokio::test]
async fn connect_and_a_refused_upgrade_get_their_whole_response() {
    let gateway = gateway().await;
    let long = "x".repeat(1 << 20);
    for (head, status) in [
        (
            "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n",
            405,
        ),
        (
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n",
            401,
        ),
        (
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
            401,
        ),
    ] {
        for (body, times) in [("abc", 50), (&*long, 10)] {
            let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            for _ in 0..times {
                let mut raw = Raw::connect(gateway.address()).await.unwrap();
                // It may be refused and closed before all of it is sent.
                let _ = raw.send(&request).await;
                let response = raw.read_until("\"}").await.unwrap();
                let begins = format!("HTTP/1.1 {status} ");
                assert!(response.starts_with(&begins), "{head}: {response}");
                if body.len() > 3 {
                    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_closes_its_side_gets_every_response() {
    let gateway = gateway().await;
    let health = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for count in [1, 3] {
        let mut raw = Raw::connect(gateway.address()).await.unwrap();
        raw.send(health.repeat(count)).await.unwrap();
        raw.finish().await.unwrap();
        let ending = raw.read_to_end().await.unwrap();
        assert!(ending.clean);
        let text = String::from_utf8_lossy(&ending.bytes);
        assert_eq!(answers(&text), count, "{text}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_answered_with_a_sentence() {
    let gateway = gateway().await;
    let long = "x".repeat(64 * 1024);
    for (request, status) in [
        (
            format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            414,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n"),
            431,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
                "X: y\r\n".repeat(200)
            ),
            431,
        ),
    ] {
        let response = exchange(gateway.address(), request.as_bytes())
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&response.bytes);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        assert!(text.contains("\"message\":\""), "{text}");
        assert!(response.clean);
    }
}

#[tokio::test]
async fn what_is_well_formed_is_served_and_the_connection_kept() {
    let gateway = gateway().await;
    for (what, request) in [
        ("plain", "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (
            "an empty line before it",
            "\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ),
        (
            "the absolute form",
            "GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ),
        (
            "a body",
            "POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        ),
        (
            "chunks",
            "POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b c\"\r\nhello\r\n0\r\nX-T: y\r\n\r\n",
        ),
    ] {
        let twice = format!(
            "{request}GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        let response = exchange(gateway.address(), twice.as_bytes()).await.unwrap();
        let text = String::from_utf8_lossy(&response.bytes);
        assert_eq!(answers(&text), 2, "{what}: {text}");
        assert!(text.contains("choiros-hypervisor"), "{what}: {text}");
    }
}

#[tokio::test]
async fn slow_headers_are_cut() {
    let gateway = common::builder()
        .env("HYPERVISOR_SERVER_HEADER_READ_SECS", "1")
        .start()
        .await
        .unwrap();
    for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "] {
        let response = exchange(gateway.address(), begun.as_bytes()).await.unwrap();
        assert!(response.bytes.is_empty(), "{begun:?} was answered");
    }
}

#[tokio::test]
async fn headers_above_the_limit_are_refused() {
    let gateway = gateway().await;
    let long = "x".repeat(64 * 1024);
    let request = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n");
    let response = exchange(gateway.address(), request.as_bytes())
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&response.bytes);
    assert!(
        text.starts_with("HTTP/1.1 431 ") || text.starts_with("HTTP/1.1 400 "),
        "{text}"
    );
}
