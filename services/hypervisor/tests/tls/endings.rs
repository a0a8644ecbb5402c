//! How a connection ends: a client must be able to tell a whole response from one that was cut.

use crate::site::{Site, get};
use testkit::malformed::REQUESTS;
use testkit::raw::status;
use testkit::tls::Kind;

#[tokio::test]
async fn a_whole_response_ends_with_the_alert_that_says_so() {
    let site = Site::start("").await;
    let person = site.person().await;
    let cookie = format!("Cookie: {}\r\n", person.cookie());
    // The end of the connection is the end of the body.
    let http10 = format!(
        "GET /source/100000?chunked HTTP/1.0\r\nHost: {}\r\n{cookie}\r\n",
        site.host()
    );
    let close = get(
        &site.host(),
        "/source/100000",
        &format!("{cookie}Connection: close\r\n"),
    );
    for request in [http10, close, get(&site.host(), "/ HTTP/9", "")] {
        let mut raw = site.raw().await;
        raw.send(&request).await.unwrap();
        let said = raw.read_to_end().await.unwrap();
        assert!(said.clean, "no close_notify after {request:?}");
        assert!(status(&said.bytes).is_some() || said.bytes.starts_with(b"HTTP/1.0 200"));
    }
}

#[tokio::test]
async fn a_response_that_was_cut_ends_without_it() {
    let site = Site::start("").await;
    let person = site.person().await;
    let cookie = format!("Cookie: {}\r\n", person.cookie());
    for path in ["/die/mid-body", "/die/mid-body?length"] {
        for version in ["1.0", "1.1"] {
            let mut raw = site.raw().await;
            let request = get(&site.host(), path, &cookie);
            let request = request.replacen("HTTP/1.1", &format!("HTTP/{version}"), 1);
            raw.send(request).await.unwrap();
            raw.read_until("half of it").await.unwrap();
            let said = raw.read_to_end().await.unwrap();
            assert!(!said.clean, "{path} over HTTP/{version} looks whole");
        }
    }
}

#[tokio::test]
async fn a_stop_ends_connections_with_the_alert_after_what_was_begun() {
    let mut site = Site::start("").await;
    let mut raw = site.raw().await;
    raw.send(get(&site.host(), "/health", "")).await.unwrap();
    assert_eq!(status(raw.read_head().await.unwrap()), Some(200));
    site.gateway.sigterm().unwrap();
    raw.send(get(&site.host(), "/health", "")).await.unwrap();
    let said = raw.read_to_end().await.unwrap();
    assert!(said.clean, "no close_notify");
    // After the first response's body.
    assert!(String::from_utf8_lossy(&said.bytes).contains("HTTP/1.1 200"));
    assert!(site.gateway.wait_exit().await.unwrap().success());
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up() {
    let mut site = Site::start_as("", Kind::Ecdsa, |builder| {
        builder
            .env("HYPERVISOR_SERVER_WRITE_IDLE_SECS", "1")
            .env("HYPERVISOR_LOG_FILTER", "info,hypervisor=debug")
    })
    .await;
    let person = site.person().await;
    let cookie = format!("Cookie: {}\r\n", person.cookie());
    let mut raw = site.raw().await;
    let path = "/source/1000000000?chunked";
    raw.send(get(&site.host(), path, &cookie)).await.unwrap();
    raw.read_head().await.unwrap();
    let is_told = |line: &str| line.contains("connection ended");
    site.gateway.process().stderr_line(is_told).await.unwrap();
    assert!(!raw.read_to_end().await.unwrap().clean);
}

#[tokio::test]
async fn what_is_malformed_is_refused_by_the_rules_of_plain_connections() {
    let site = Site::start("").await;
    for (what, request) in REQUESTS {
        let mut raw = site.raw().await;
        // It may be refused and closed before all of it is sent.
        let _ = raw.send(request).await;
        let said = raw.read_to_end().await.unwrap();
        assert_eq!(status(&said.bytes), Some(400), "{what}");
        assert!(said.clean, "{what}: no close_notify");
    }
}

#[tokio::test]
async fn a_websocket_that_is_closed_ends_with_the_alert() {
    let site = Site::start("").await;
    let person = site.person().await;
    let mut raw = site.raw().await;
    let fields = format!(
        "Cookie: {}\r\nOrigin: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        person.cookie(),
        site.gateway.base_url()
    );
    raw.send(get(&site.host(), "/ws", &fields)).await.unwrap();
    assert_eq!(status(raw.read_head().await.unwrap()), Some(101));
    // A close frame, masked with zeros, whose echo comes back.
    raw.send(b"\x88\x80\0\0\0\0").await.unwrap();
    let said = raw.read_to_end().await.unwrap();
    assert_eq!(said.bytes, b"\x88\0");
    assert!(said.clean, "no close_notify");
}
