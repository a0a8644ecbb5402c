//! What a browser opens and keeps open, as bytes on a connection of its own.

use crate::Site;
use crate::sandbox::Sandbox;
use testkit::person::Person;
use testkit::raw::Raw;

pub const KINDS: [&str; 6] = [
    "websocket",
    "tunnel",
    "events",
    "poll",
    "download",
    "upload",
];

/// A Close frame that says «policy violation», without its reason.
const POLICY_VIOLATION: [u8; 2] = 1008_u16.to_be_bytes();

pub struct Stream {
    kind: &'static str,
    path: String,
    pub wire: Raw,
}

/// A request with this browser's session, without a body.
pub fn request(site: &Site, person: &Person, method: &str, path: &str) -> String {
    format!("{}\r\n", head(site, person, method, path))
}

fn head(site: &Site, person: &Person, method: &str, path: &str) -> String {
    let origin = site.gateway.base_url();
    let host = format!("localhost:{}", site.gateway.port());
    let cookie = person.cookie();
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nOrigin: {origin}\r\n")
}

impl Stream {
    pub async fn open(site: &Site, person: &Person, kind: &'static str, path: String) -> Self {
        let mut wire = Raw::connect(site.gateway.address()).await.unwrap();
        let method = if kind == "upload" { "POST" } else { "GET" };
        let head = head(site, person, method, &path);
        let rest = match kind {
            "websocket" | "half" => {
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            }
            "tunnel" => "Connection: Upgrade\r\nUpgrade: raw\r\n\r\n",
            "upload" => "Content-Length: 1000000\r\n\r\nhello",
            _ => "\r\n",
        };
        wire.send(format!("{head}{rest}")).await.unwrap();
        if matches!(kind, "poll" | "upload") {
            site.sandbox.asked(&path).await;
        } else {
            wire.read_until("hello").await.unwrap();
        }
        Self { kind, path, wire }
    }

    /// Fails unless it has ended as its kind should, at both ends.
    pub async fn ended(self, sandbox: &Sandbox) {
        let (kind, path, mut wire) = (self.kind, self.path, self.wire);
        let bytes = match kind {
            // The connection is good for another request.
            "events" => wire.read_until("0\r\n\r\n").await.expect(&path).into(),
            _ => wire.read_to_end().await.expect(&path).bytes,
        };
        let text = String::from_utf8_lossy(&bytes);
        match kind {
            "websocket" => {
                assert_eq!(bytes[0], 0x88, "{path}: {bytes:?}");
                assert_eq!(bytes[2..4], POLICY_VIOLATION, "{path}");
                assert_eq!(bytes.len(), 2 + usize::from(bytes[1]), "{path}: one frame");
            }
            "events" => assert_eq!(text, "\n\n\r\n0\r\n\r\n", "{path}: ends cleanly"),
            "poll" => {
                assert!(text.starts_with("HTTP/1.1 401 "), "{path}: {text}");
                assert!(text.contains(r#""error":"unauthenticated""#), "{text}");
            }
            "upload" => assert!(text.is_empty() || text.starts_with("HTTP/1.1 401 ")),
            _ => assert_eq!(text, "", "{path}"),
        }
        let seen = sandbox.over(&path).await;
        match kind {
            "websocket" => {
                assert_eq!(seen.bytes[0], 0x88, "{path}: {seen:?}");
                assert_eq!(seen.bytes[1] & 0x80, 0x80, "{path}: clients mask");
                assert_eq!(seen.bytes[6..8], POLICY_VIOLATION, "{path}");
            }
            "upload" => assert_eq!(seen.bytes, b"hello"),
            _ => assert_eq!(seen.bytes, b"", "{path}"),
        }
    }

    /// Fails unless it is as it was.
    pub async fn goes_on(mut self, sandbox: &Sandbox) {
        let (kind, path) = (self.kind, &self.path);
        match kind {
            "tunnel" => {
                self.wire.send("and back").await.unwrap();
                self.wire.read_until("and back").await.unwrap();
            }
            "events" => {
                sandbox.emit();
                self.wire.read_until("more").await.unwrap();
            }
            _ => {}
        }
        let seen = sandbox.find(path).unwrap();
        assert!(!seen.over, "{path}: {seen:?}");
    }
}
