//! Conditions and what they are about, byte for byte.

use crate::h2::Client;
use crate::nothing_wrong;
use crate::sandbox::{Sandbox, Script};
use crate::site::Site;
use http::Request;

/// What a sandbox writes, and how it goes to the client: `MARK` stands for the mark.
const TAGS: &[(&str, &str)] = &[
    ("ETag: \"x\"", "etag: \"MARK~x\""),
    ("eTAG: W/\"x\"", "etag: W/\"MARK~x\""),
    ("etag:\"\"", "etag: \"MARK~\""),
    ("ETag: unquoted", "etag: MARK~unquoted"),
    (
        "ETag: \"with a space, and a comma\"",
        "etag: \"MARK~with a space, and a comma\"",
    ),
    ("ETag: \"MARK~x\"", "etag: \"MARK~MARK~x\""),
    ("ETag: \"x\", \"MARK~y\"", ""),
    ("ETag: \"x\"\r\nETag: \"MARK~y\"", ""),
    ("ETag: \"x", ""),
    ("ETag: *", ""),
];

/// What a client asks with, and what the sandbox gets of it.
const CONDITIONS: &[(&str, &str)] = &[
    ("If-None-Match: \"MARK~x\"", "If-None-Match: \"x\""),
    ("iF-nONE-mATCH: W/\"MARK~x\"", "iF-nONE-mATCH: W/\"x\""),
    (
        "If-None-Match: \"o\", \"MARK~x\",W/\"MARK~y\"",
        "If-None-Match: \"x\", W/\"y\"",
    ),
    (
        "If-None-Match: \"MARK~x\"\r\nIf-None-Match: \"MARK~y\"",
        "If-None-Match: \"x\", \"y\"",
    ),
    ("If-None-Match: *", "If-None-Match: *"),
    ("If-None-Match: \"x\"", ""),
    ("If-None-Match: \"other~x\"", ""),
    ("If-None-Match: \"MARK~x\" \"MARK~y\"", ""),
    ("If-None-Match: \"MARK~x\"\r\nIf-None-Match: \"", ""),
    ("If-Modified-Since: Fri, 02 Jan 2026 00:00:01 GMT", ""),
    (
        "If-None-Match: W/\"MARK@1767312001\"\r\nIf-Modified-Since: Sat, 03 Jan 2026 00:00:01 GMT",
        "If-Modified-Since: Fri, 02 Jan 2026 00:00:01 GMT",
    ),
    ("If-None-Match: W/\"MARK@99999999999999999999\"", ""),
    ("If-None-Match: W/\"MARK@9999999999999999999\"", ""),
    ("Range: bytes=1-", "Range: bytes=1-"),
    (
        "Range: bytes=1-\r\nIf-Range: \"MARK~x\"",
        "If-Range: \"x\"\r\nRange: bytes=1-",
    ),
    ("Range: bytes=1-\r\nIf-Range: \"x\"", ""),
    (
        "Range: bytes=1-\r\nIf-Range: Fri, 02 Jan 2026 00:00:01 GMT",
        "",
    ),
    ("If-Match: \"MARK~x\"", "If-Match: \"x\""),
    ("If-Match: \"other~x\"", "If-Match: \"other~x\""),
    ("If-Match: \"x\"", "If-Match: \"x\""),
    ("If-Match: *", "If-Match: *"),
    (
        "If-Unmodified-Since: Fri, 02 Jan 2026 00:00:01 GMT",
        "If-Unmodified-Since: Fri, 02 Jan 2026 00:00:01 GMT",
    ),
    ("If: ([\"MARK~x\"])", "If: ([\"x\"])"),
];

/// The mark of the default workspace's live sandbox.
async fn mark(site: &Site) -> String {
    let response = "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 0\r\n\r\n";
    site.sandbox.script("/mark", Script::new(response));
    let reply = site.ask(site.head("GET /mark") + "\r\n").await;
    let tag = reply.head.values("etag")[0].to_owned();
    tag.strip_prefix('"')
        .unwrap()
        .strip_suffix("~x\"")
        .unwrap()
        .to_owned()
}

/// The lines of a head whose names have to do with validators, in order of their names.
fn validators(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let is_one = |line: &&str| {
        let name = line
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        name.starts_with("if") || name == "etag" || name == "range"
    };
    let mut lines: Vec<_> = text.split("\r\n").filter(is_one).collect();
    lines.sort_unstable();
    lines.join("\r\n")
}

#[tokio::test]
async fn tags_go_out_with_a_mark() {
    let site = Site::start().await;
    let mark = mark(&site).await;
    let mut wrongs = Vec::new();
    for (index, (sent, want)) in TAGS.iter().enumerate() {
        for (status, method, rest) in [
            ("200 OK", "GET", "Content-Length: 2\r\n\r\nhi"),
            ("200 OK", "HEAD", "Content-Length: 2\r\n\r\n"),
            ("206 Partial Content", "GET", "Content-Length: 2\r\n\r\nhi"),
            ("304 Not Modified", "GET", "\r\n"),
            (
                "412 Precondition Failed",
                "GET",
                "Content-Length: 0\r\n\r\n",
            ),
        ] {
            let (sent, want) = (sent.replace("MARK", &mark), want.replace("MARK", &mark));
            let path = format!("/{index}/{}", &status[..3]);
            let response = format!("HTTP/1.1 {status}\r\n{sent}\r\n{rest}");
            site.sandbox.script(&path, Script::new(response));
            let reply = site
                .ask(site.head(&format!("{method} {path}")) + "\r\n")
                .await;
            let came = validators(&reply.head.bytes);
            if came != want {
                wrongs.push(format!(
                    "{method} {status}, {sent}: {came} in place of {want}"
                ));
            }
        }
    }
    nothing_wrong(&wrongs);
}

fn asked(sandbox: &Sandbox, path: &str) -> String {
    validators(&sandbox.last(path).head.bytes)
}

#[tokio::test]
async fn conditions_come_in_without_it_or_not_at_all() {
    let site = Site::start().await;
    let mark = mark(&site).await;
    let client = Client::connect(site.gateway.address()).await;
    let mut wrongs = Vec::new();
    for (index, (given, want)) in CONDITIONS.iter().enumerate() {
        let (given, want) = (given.replace("MARK", &mark), want.replace("MARK", &mark));
        let path = format!("/{index}");
        site.ask(site.head(&format!("GET {path}")) + &given + "\r\n\r\n")
            .await;
        let came = asked(&site.sandbox, &path);
        if came != want {
            wrongs.push(format!("{given}: {came} in place of {want}"));
        }
        let path = format!("/h2/{index}");
        let uri = format!("http://{}{path}", site.host);
        let mut request = Request::get(uri).header("cookie", &site.cookie);
        for line in given.split("\r\n") {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        client.ask(request.body(()).unwrap(), None, None).await;
        let came = asked(&site.sandbox, &path);
        if !came.eq_ignore_ascii_case(&want) {
            wrongs.push(format!("HTTP/2, {given}: {came} in place of {want}"));
        }
    }
    nothing_wrong(&wrongs);
}
