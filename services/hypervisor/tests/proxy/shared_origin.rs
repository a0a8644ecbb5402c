//! What a sandbox's response must not do to the pages that share its origin.

use crate::gateway::{Gateway, client_of_http2, full};
use http::Request;
use http_body_util::BodyExt;
use testkit::raw::{Raw, status};
use tokio::net::TcpListener;

/// Each in another spelling.
const REMOVED: &str = "Cross-Origin-Opener-Policy: same-origin\r\nCROSS-ORIGIN-Opener-Policy-Report-Only: unsafe-none\r\n\
    Set-Login: logged-out\r\nClear-Site-Data: \"*\"\r\nclear-site-data: \"cookies\"\r\nSERVICE-WORKER-ALLOWED: /\r\n\
    Strict-Transport-Security: max-age=0\r\nPublic-Key-Pins: pin-sha256=\"x\"\r\n\
    Public-Key-Pins-Report-Only: x\r\nExpect-CT: max-age=1\r\nNEL: {\"report_to\":\"x\"}\r\nnel: {}\r\n\
    Report-To: {\"group\":\"x\"}\r\nOrigin-Agent-Cluster: ?0\r\nAlt-Svc: h3=\":1\"\r\nalt-svc: clear\r\n\
    Secure-Session-Registration: (ES256);path=\"x\"\r\nSec-Session-Registration: x\r\n\
    Secure-Session-Challenge: \"x\"\r\nSec-Session-Challenge: x\r\n\
    X-Accel-Redirect: /secret\r\nX-Sendfile: /etc/passwd\r\nX-LIGHTTPD-send-file: /x\r\nX-Reproxy-URL: http://x\r\n\
    Set-Cookie: choiros=evil; Path=/auth\r\n";

const KEPT: &str = "Content-Security-Policy: default-src 'self'\r\nReporting-Endpoints: x=\"https://x\"\r\n\
    Cross-Origin-Embedder-Policy: require-corp\r\nPermissions-Policy: usb=()\r\nAccept-CH: Width\r\n\
    WWW-Authenticate: Basic\r\nX-Accel-Buffering: no\r\nSet-Cookie: mine=1; Path=/auth; Domain=a\r\n\
    Cache-Control: no-store\r\nRefresh: 1\r\n";

/// A gateway before a sandbox whose responses are written by hand.
struct Site {
    gateway: Gateway,
    listener: TcpListener,
}

impl Site {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::before(listener.local_addr().unwrap()).await;
        Self { gateway, listener }
    }

    /// What a client gets of `answer`, up to `end`.
    async fn told(&self, fields: &str, response: &str, end: &str) -> String {
        let mut client = Raw::connect(self.gateway.address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        client.send(request).await.unwrap();
        let mut sandbox = Raw::accept(&self.listener).await.unwrap();
        sandbox.read_head().await.unwrap();
        sandbox.send(response).await.unwrap();
        client.read_until(end).await.unwrap()
    }
}

/// The fields of these lines that are in `head` too, by name.
fn present<'a>(lines: &'a str, head: &str) -> Vec<&'a str> {
    let head = head.to_ascii_lowercase();
    let is_there = |line: &&str| head.contains(&format!("\r\n{}\r\n", line.to_ascii_lowercase()));
    lines.split_terminator("\r\n").filter(is_there).collect()
}

/// Whether any line of `head` begins with one of these lines' names.
fn named(lines: &str, head: &str) -> Vec<String> {
    let names = |text: &str| -> Vec<String> {
        let names = text.split("\r\n").filter_map(|line| line.split_once(':'));
        names.map(|(name, _)| name.to_ascii_lowercase()).collect()
    };
    let unwanted = names(lines);
    let mut found = names(head);
    found.retain(|name| unwanted.contains(name));
    found
}

#[tokio::test]
async fn what_acts_on_the_whole_origin_is_not_passed_on() {
    let site = Site::new().await;
    for status in ["200 OK", "304 Not Modified", "401 Unauthorized", "503 Busy"] {
        let response = format!("HTTP/1.1 {status}\r\n{REMOVED}Content-Length: 0\r\n\r\n");
        let head = site.told("", &response, "\r\n\r\n").await;
        assert!(named(REMOVED, &head).is_empty(), "{head}");
    }
}

#[tokio::test]
async fn what_acts_on_its_own_response_alone_is() {
    let site = Site::new().await;
    let response = format!("HTTP/1.1 200 OK\r\n{KEPT}Content-Length: 0\r\n\r\n");
    let head = site.told("", &response, "\r\n\r\n").await;
    assert_eq!(
        present(KEPT, &head).len(),
        KEPT.matches("\r\n").count(),
        "{head}"
    );
}

#[tokio::test]
async fn no_spelling_of_our_cookies_names_is_passed_on() {
    let site = Site::new().await;
    let planted = [
        "choiros=evil",
        "choiros=evil; Path=/auth; Domain=a; Max-Age=999999; HttpOnly; SameSite=None",
        "choiros =evil",
        "\tchoiros\t=evil",
        "=choiros=evil",
        " = choiros=evil",
        "==choiros=evil",
        "choiros=",
        "choiros=; Max-Age=0",
        "choiros-ceremony=evil",
        "choiros=\"evil\"",
    ];
    let lines = planted.map(|cookie| format!("Set-Cookie:{cookie}\r\nSET-COOKIE: {cookie}\r\n"));
    let lines = lines.concat() + "Set-Cookie: mine=1\r\n";
    let response = format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 0\r\n\r\n");
    let head = site.told("", &response, "\r\n\r\n").await;
    assert_eq!(named("set-cookie: x", &head).len(), 1, "{head}");
    assert!(!head.contains("choiros"), "{head}");
}

#[tokio::test]
async fn trailers_are_held_to_the_same() {
    let site = Site::new().await;
    let head = "HTTP/1.1 200 OK\r\nTrailer: X-Sum, Set-Cookie, Clear-Site-Data, Alt-Svc\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    let trailers = "X-Sum: 42\r\nSet-Cookie: a=1\r\nset-cookie: choiros=evil\r\n\
                    Clear-Site-Data: \"*\"\r\nAlt-Svc: clear\r\n\r\n";
    let received = format!("{head}2\r\nhi\r\n0\r\n{trailers}");
    // Who asks for trailers gets them, and a body is whole for everyone.
    let fields = "TE: trailers\r\nConnection: TE\r\n";
    let told = site.told(fields, &received, "42\r\n\r\n").await;
    let (_, body) = told.split_once("\r\n\r\n").unwrap();
    assert!(
        body.to_ascii_lowercase()
            .ends_with("0\r\nx-sum: 42\r\n\r\n"),
        "{told}"
    );
    let told = site
        .told("Connection: close\r\n", &received, "\r\n0\r\n")
        .await;
    assert!(told.ends_with("2\r\nhi\r\n0\r\n"), "{told}");
    let end = site.told("", &received, "\r\n\r\n").await;
    assert!(!end.contains("choiros"), "{end}");

    let request = Request::get(site.gateway.url("/")).header("te", "trailers");
    let asking = client_of_http2();
    let asking = asking.request(request.body(full("")).unwrap());
    let answering = async {
        let mut sandbox = Raw::accept(&site.listener).await.unwrap();
        sandbox.read_head().await.unwrap();
        sandbox.send(&received).await.unwrap();
        sandbox
    };
    let (response, _sandbox) = tokio::join!(asking, answering);
    let body = response.unwrap().into_body().collect().await.unwrap();
    let names: Vec<_> = body.trailers().unwrap().keys().collect();
    assert_eq!(names, ["x-sum"]);
}

#[tokio::test]
async fn an_upgrades_response_is_held_to_the_same() {
    let site = Site::new().await;
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n{REMOVED}X-Mine: 1\r\n\r\n"
    );
    let asks = "Connection: upgrade\r\nUpgrade: x\r\n";
    let head = site.told(asks, &response, "\r\n\r\n").await;
    assert_eq!(status(&head), Some(101), "{head}");
    assert!(head.to_ascii_lowercase().contains("x-mine: 1"), "{head}");
    assert!(named(REMOVED, &head).is_empty(), "{head}");
}

#[tokio::test]
async fn what_comes_before_the_response_sets_nothing() {
    let site = Site::new().await;
    let response = format!(
        "HTTP/1.1 103 Early Hints\r\n{REMOVED}\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    );
    let told = site.told("", &response, "hi").await;
    assert!(named(REMOVED, &told).is_empty(), "{told}");
}
