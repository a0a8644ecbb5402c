//! What comes through a proxy: over the Unix socket for one, and over TCP from one that is named.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{builder, sides};
use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::raw::{Raw, status};
use testkit::wait::eventually;
use tokio::net::UnixStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// A gateway with a socket for proxies, and someone with a session.
struct Site {
    gateway: Hypervisor,
    person: Person,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn start(more: &str) -> Self {
        let (_, _, sandboxes) = sides().await;
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("http.sock");
        let gateway = builder()
            .env("HYPERVISOR_SERVER_PROXY_SOCKET", socket.to_str().unwrap())
            .config(&format!("{more}\n{sandboxes}"))
            .start()
            .await
            .unwrap();
        let person = Person::register(&gateway, "alice").await.unwrap();
        Self {
            gateway,
            person,
            socket,
            _folder: folder,
        }
    }

    async fn over_unix(&self) -> Raw {
        Raw::connect_unix(&self.socket).await.unwrap()
    }

    /// A plain request of hers, which the fast path carries.
    fn plain(&self, fields: &str) -> String {
        let (host, cookie) = (self.host(), self.person.cookie());
        format!("GET /x HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{fields}\r\n")
    }

    /// One that is hyper's.
    fn chunked(&self, fields: &str) -> String {
        let (host, cookie) = (self.host(), self.person.cookie());
        format!(
            "POST /x HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\n\
             Transfer-Encoding: chunked\r\n{fields}\r\n2\r\nhi\r\n0\r\n\r\n"
        )
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.gateway.port())
    }

    /// What a sandbox sees of an answered request.
    async fn seen(&self, mut raw: Raw, request: &str) -> (Raw, Value) {
        raw.send(request).await.unwrap();
        let head = raw.read_head().await.unwrap();
        assert_eq!(status(&head), Some(200), "{head}");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let named = name.eq_ignore_ascii_case("content-length");
            named.then(|| value.trim().parse::<usize>().unwrap())
        });
        let mut body = String::new();
        while body.len() < length.unwrap() {
            body += &raw.read_until("}").await.unwrap();
        }
        (raw, serde_json::from_str(&body).unwrap())
    }
}

fn field(seen: &Value, name: &str) -> Vec<String> {
    let headers = seen["headers"].as_array().unwrap().iter();
    let named = headers.filter(|header| header[0] == name);
    let value = |header: &Value| header[1].as_str().unwrap().to_owned();
    named.map(value).collect()
}

const FROM: &str = "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\
    X-Forwarded-Host: os.example\r\n";

#[tokio::test]
async fn a_proxy_at_the_unix_socket_is_believed_and_nobody_at_the_port_is() {
    let site = Site::start("").await;
    let mut raw = site.over_unix().await;
    // On one connection, from the fast path to hyper.
    for request in [site.plain(FROM), site.plain(FROM), site.chunked(FROM)] {
        let seen;
        (raw, seen) = site.seen(raw, &request).await;
        assert_eq!(field(&seen, "x-forwarded-for"), ["203.0.113.7"]);
        assert_eq!(field(&seen, "x-forwarded-proto"), ["https"]);
        assert_eq!(field(&seen, "x-forwarded-host"), ["os.example"]);
    }
    for request in [site.plain(FROM), site.chunked(FROM)] {
        let raw = Raw::connect(site.gateway.address()).await.unwrap();
        let (_, seen) = site.seen(raw, &request).await;
        assert_eq!(field(&seen, "x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(field(&seen, "x-forwarded-proto"), ["http"]);
        assert_eq!(field(&seen, "x-forwarded-host"), [site.host()]);
    }
}

#[tokio::test]
async fn a_sandbox_is_told_no_address_where_none_is_known() {
    let site = Site::start("").await;
    let mut raw = site.over_unix().await;
    for request in [site.plain(""), site.chunked("")] {
        let seen;
        (raw, seen) = site.seen(raw, &request).await;
        assert!(field(&seen, "x-forwarded-for").is_empty(), "{seen}");
        assert_eq!(field(&seen, "x-forwarded-proto"), ["http"]);
    }
}

#[tokio::test]
async fn several_lines_of_addresses_are_one_list_on_either_way() {
    let site = Site::start("").await;
    let fields = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 203.0.113.7\r\n";
    let mut raw = site.over_unix().await;
    for request in [site.plain(fields), site.chunked(fields)] {
        let seen;
        (raw, seen) = site.seen(raw, &request).await;
        assert_eq!(field(&seen, "x-forwarded-for"), ["192.0.2.1, 203.0.113.7"]);
    }
}

async fn response(site: &Site, path: &str, host: &str, fields: &str) -> Option<u16> {
    let mut raw = site.over_unix().await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
    raw.send(request).await.unwrap();
    status(raw.read_head().await.unwrap())
}

#[tokio::test]
async fn limits_by_address_are_those_of_the_proxys_clients() {
    let mut site = Site::start("").await;
    site.gateway
        .set_env("HYPERVISOR_AUTH_RATE_PER_ADDRESS", "1");
    site.gateway.restart().await.unwrap();
    let is_refused = async |fields: &str| {
        let (mut raw, host) = (site.over_unix().await, site.host());
        let order = r#"{"username":"alice"}"#;
        let length = order.len();
        let request = format!(
            "POST /auth/login/start HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{fields}\r\n{order}"
        );
        raw.send(request).await.unwrap();
        status(raw.read_head().await.unwrap()) == Some(429)
    };
    for client in ["203.0.113.7", "203.0.113.8", "2001:db8:1::1"] {
        let fields = format!("X-Forwarded-For: {client}\r\n");
        assert!(!is_refused(&fields).await, "{client}");
        assert!(is_refused(&fields).await, "{client}");
    }
    // Those that it does not name have one limit together, and the log says why.
    assert!(!is_refused("").await);
    assert!(is_refused("").await);
    let told = |line: &str| line.contains("X-Forwarded-For");
    site.gateway.process().stderr_line(told).await.unwrap();
}

#[tokio::test]
async fn metrics_are_for_a_client_on_this_machine_and_a_proxy_is_none() {
    let site = Site::start("").await;
    for (fields, expected) in [
        ("", 403),
        ("X-Forwarded-For: 203.0.113.7\r\n", 403),
        ("X-Forwarded-For: 127.0.0.1, 203.0.113.7\r\n", 403),
        ("X-Forwarded-For: 127.0.0.1\r\n", 200),
    ] {
        let given = response(&site, "/metrics", "localhost", fields).await;
        assert_eq!(given, Some(expected), "{fields}");
    }
    let local = site.gateway.client().get("/metrics").await.unwrap();
    assert_eq!(local.status, 200);
}

#[tokio::test]
async fn a_websocket_goes_through_the_unix_socket() {
    let site = Site::start("").await;
    let mut request = format!("ws://{}/ws", site.host())
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    let value = |text: String| HeaderValue::try_from(text).unwrap();
    headers.insert("origin", value(format!("http://{}", site.host())));
    headers.insert("cookie", value(site.person.cookie()));
    let stream = UnixStream::connect(&site.socket).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    let hello = socket.next().await.unwrap().unwrap();
    assert_eq!(hello, Message::text("sandbox-live"));
    socket.send(Message::text("and back")).await.unwrap();
    let back = socket.next().await.unwrap().unwrap();
    assert_eq!(back, Message::text("and back"));
}

#[tokio::test]
async fn a_full_gateway_says_so_at_the_unix_socket_too() {
    let mut site = Site::start("").await;
    let (name, most) = ("HYPERVISOR_SERVER_MAX_CONNECTIONS", "1");
    site.gateway.set_env(name, most);
    site.gateway.restart().await.unwrap();
    // Whoever waited for its health may not have closed yet.
    let first = eventually("a place", async || {
        let mut raw = site.over_unix().await;
        raw.send(site.plain("")).await.ok()?;
        let head = raw.read_head().await.ok()?;
        (status(head) == Some(200)).then_some(raw)
    });
    let _first = first.await.unwrap();
    let second = site.over_unix().await.read_to_end().await.unwrap();
    assert_eq!(status(&second.bytes), Some(503));
    assert!(second.clean);
}

#[tokio::test]
async fn its_permissions_are_its_own_and_a_dead_gateways_socket_is_replaced() {
    let mut site = Site::start("").await;
    let mode = std::fs::metadata(&site.socket)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    site.gateway.kill9().unwrap();
    site.gateway.wait_exit().await.unwrap();
    assert!(site.socket.exists());
    site.gateway.restart().await.unwrap();
    let host = site.host();
    assert_eq!(response(&site, "/health", &host, "").await, Some(200));
}

#[tokio::test]
async fn a_socket_that_somebody_serves_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    let _other = UnixListener::bind(&path).unwrap();
    let mut gateway = builder()
        .env("HYPERVISOR_SERVER_PROXY_SOCKET", path.to_str().unwrap())
        .spawn()
        .unwrap();
    assert!(!gateway.wait_exit().await.unwrap().success());
    let said = gateway.process().stderr();
    assert!(said.contains("server.proxy_socket"), "{said}");
    assert!(said.contains("stop it first"), "{said}");
}
