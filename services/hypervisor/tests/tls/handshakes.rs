//! Who can talk to it, and how a connection begins.

use crate::site::{Site, get, get_over_http2};
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion};
use std::sync::Arc;
use testkit::raw::{Raw, status};
use testkit::tls::{self, Kind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn either_version_of_tls_speaks_either_version_of_http_with_either_kind_of_key() {
    for kind in [Kind::Ecdsa, Kind::Rsa] {
        let site = Site::start_as("", kind, |builder| builder).await;
        for (version, name) in [
            (&TLS12, ProtocolVersion::TLSv1_2),
            (&TLS13, ProtocolVersion::TLSv1_3),
        ] {
            for (offered, agreed) in [
                (&["h2", "http/1.1"][..], Some(&b"h2"[..])),
                (&["http/1.1", "h2"], Some(b"h2")),
                (&["http/1.1"], Some(b"http/1.1")),
                (&["http/1.0", "http/1.1"], Some(b"http/1.1")),
                (&[], None),
            ] {
                let mut config = site.authority.trusted_over(&[version]);
                config.alpn_protocols = offered.iter().map(|it| it.as_bytes().to_vec()).collect();
                let stream = site.connect(config).await.unwrap();
                let session = stream.get_ref().1;
                assert_eq!(session.protocol_version(), Some(name), "{kind:?}");
                assert_eq!(session.alpn_protocol(), agreed, "{offered:?}");
                let health = if agreed == Some(b"h2") {
                    let (parts, _) = get_over_http2(stream, &site.host(), "/health", "").await;
                    Some(parts.status.as_u16())
                } else {
                    let mut raw = Raw::on(stream);
                    let request = get(&site.host(), "/health", "");
                    raw.send(request).await.unwrap();
                    status(raw.read_head().await.unwrap())
                };
                assert_eq!(health, Some(200), "{offered:?}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_in_common_ends_the_handshake_and_disturbs_nobody() {
    let site = Site::start("").await;
    let said = site.connect(site.client(&["spdy/3"])).await.unwrap_err();
    assert!(
        format!("{said:#}").contains("NoApplicationProtocol"),
        "{said:#}"
    );
    // The authority of another.
    let stranger = testkit::tls::Authority::new().unwrap();
    site.connect(stranger.trusted()).await.unwrap_err();
    for garbage in [
        &b"\x16\x03\x01\x00\x05hello"[..],
        b"\0\0\0\0\0\0\0\0",
        b"\xff\xff",
    ] {
        let mut stream = TcpStream::connect(site.gateway.address()).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    site.gateway.client().get("/health").await.unwrap();
}

#[tokio::test]
async fn a_session_is_taken_up_again_by_its_ticket_over_either_version() {
    let site = Site::start("").await;
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(site.authority.trusted_over(&[version]));
        let mut kinds = Vec::new();
        for _ in 0..3 {
            let address = site.gateway.address();
            let mut stream = tls::connect(address, "localhost", config.clone())
                .await
                .unwrap();
            kinds.push(stream.get_ref().1.handshake_kind().unwrap());
            // Tickets come with the first response.
            let request = get(&site.host(), "/health", "Connection: close\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        }
        assert_ne!(kinds[0], HandshakeKind::Resumed, "{version:?}");
        assert_eq!(kinds[1..], [HandshakeKind::Resumed; 2], "{version:?}");
    }
}

#[tokio::test]
async fn whoever_does_not_finish_a_handshake_in_time_is_closed_on() {
    let site = Site::start_as("", Kind::Ecdsa, |builder| {
        builder.env("HYPERVISOR_SERVER_HEADER_READ_SECS", "1")
    })
    .await;
    // A record of a handshake that promises 512 bytes, and a client that sends 5 of them.
    for begun in [
        &b""[..],
        b"\x16",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03",
    ] {
        let mut stream = TcpStream::connect(site.gateway.address()).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::time::timeout(testkit::wait::DEADLINE, stream.read_to_end(&mut rest));
        let _ = read.await.expect("the connection stays open"); // A reset is an end, too.
        assert!(!rest.starts_with(b"HTTP"), "{begun:?}");
    }
    // Drops by and by are no way around it.
    let mut stream = TcpStream::connect(site.gateway.address()).await.unwrap();
    let dripping = async {
        for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03".iter().cycle() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    };
    tokio::time::timeout(testkit::wait::DEADLINE, dripping)
        .await
        .expect("the connection stays open");
}

#[tokio::test]
async fn plain_http_at_the_port_of_tls_is_told_so() {
    let site = Site::start("").await;
    for request in [
        get(&site.host(), "/", ""),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
        format!(
            "POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n{}",
            "x".repeat(1_000_000)
        ),
    ] {
        let said = testkit::raw::exchange(site.gateway.address(), request)
            .await
            .unwrap();
        assert_eq!(status(&said.bytes), Some(400));
        let text = String::from_utf8(said.bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{text}"
        );
        assert!(body.contains("https://"), "{text}");
    }
}
