//! Bodies of requests: those that are broken, those whose sender says no more, and trailers.

use crate::h2::Client;
use crate::sandbox::{First, Script, Seen};
use crate::site::Site;
use crate::wire::Reply;
use crate::{counted, lines, nothing_wrong};
use futures_util::StreamExt as _;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use std::time::Duration;
use testkit::wait::until;

/// What stands behind `Transfer-Encoding: chunked`, and how often it is sent.
const BROKEN: &[(&str, usize)] = &[
    ("2\r\nxx\r\n0;a\n\r\n\r\n", 200),
    ("2\r\nxx\r\n0;\n\r\n\r\n", 20),
    ("2\r\nxx\r\n0\n\r\n\r\n", 20),
    ("2\r\nxx\r\n0\n\n", 20),
    ("2\r\nxx\r\n0\r\n\n", 20),
    ("2\r\nxx\r\n0\r\r\n\r\n", 20),
    ("2\r\nxx\r\n0;\0\r\n\r\n", 20),
    ("2\r\nxx\r\n0;\0\r\n\r\n\0\r\n\r\n", 20),
    ("2\r\nxx\r\n0;a\r\r\n\r\n", 20),
    ("2\r\nxx\r\n0;a\rb\r\n\r\n", 20),
    ("2\r\nxx\r\n0;\"\n\"\r\n\r\n", 20),
    ("2\r\nxx\r\n-0\r\n\r\n", 20),
    ("2\r\nxx\r\n 0\r\n\r\n", 20),
    ("2\r\nxx\r\n0x0\r\n\r\n", 20),
    ("2\r\nxx\r\n\r\n\r\n", 20),
    ("2\r\nxx\r\n;\r\n\r\n", 20),
    ("2\r\nxx0\r\n\r\n", 20),
    ("2\r\nxx\n0\r\n\r\n", 20),
    ("2\r\nxxx\r\n0\r\n\r\n", 20),
    ("2\nxx\r\n0\r\n\r\n", 20),
    ("+2\r\nxx\r\n0\r\n\r\n", 20),
    (" 2\r\nxx\r\n0\r\n\r\n", 20),
    ("0x2\r\nxx\r\n0\r\n\r\n", 20),
    ("2;a\n\r\nxx\r\n0\r\n\r\n", 20),
    ("10000000000000002\r\nxx\r\n0\r\n\r\n", 20),
    ("2\r\nxx\r\n10000000000000000\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\nnonsense\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\n: x\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\nX : y\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\n X: y\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\nX: y\r\n z\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\nX: y\nZ: z\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\nX: y\rz\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\nX: \0\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\nContent-Length: 5\r\n\r\n", 20),
    ("2\r\nxx\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", 20),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_broken_is_400_and_never_whole_to_the_sandbox() {
    let site = Site::start().await;
    let head = site.head("POST /broken");
    let requests = BROKEN.iter().flat_map(|(body, times)| {
        let request = format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}");
        (0..*times).map(move |index| (*body, request.clone(), index < 2))
    });
    let ask = async |(body, request, in_bytes): (&str, String, bool)| {
        let mut wire = site.connect().await;
        if in_bytes {
            wire.send_in_bytes(request).await;
        } else {
            wire.send(request).await;
        }
        let reply = wire.reply(false).await;
        let ended = wire.ended().await;
        let right = reply.status == 400 && reply.content.whole && ended.is_ok();
        let (status, why) = (reply.status, reply.why);
        (!right).then(|| format!("{body:?}: {status} {why}, then {ended:?}"))
    };
    let wrongs = stream::iter(requests).map(ask);
    let wrongs: Vec<_> = wrongs.buffer_unordered(8).collect().await;
    let mut wrongs: Vec<String> = wrongs.into_iter().flatten().collect();
    let broken = || site.sandbox.seen("/broken");
    until("nothing more comes", || broken().iter().all(|it| it.over)).await;
    for seen in broken().iter().filter(|it| it.content.whole) {
        wrongs.push(format!("whole to the sandbox: {:?}", seen.content));
    }
    nothing_wrong(&counted(wrongs));
}

#[tokio::test]
async fn a_body_that_its_sender_breaks_off_is_never_whole_to_the_sandbox() {
    let site = Site::start().await;
    for (index, rest) in [
        "Content-Length: 10\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n",
    ]
    .iter()
    .enumerate()
    {
        let path = format!("/{index}");
        let mut wire = site.connect().await;
        wire.send(site.head(&format!("POST {path}")) + rest).await;
        let asked = || site.sandbox.seen(&path);
        until("it is asked", || !asked().is_empty()).await;
        wire.finish().await;
        let reply = wire.reply(false).await;
        assert!(matches!(reply.status, 0 | 400), "{rest:?}: {reply:?}");
        assert_ne!(reply.why, "silence", "{rest:?}");
        until("nothing more comes", || asked().iter().all(|it| it.over)).await;
        assert!(asked().iter().all(|it| !it.content.whole), "{rest:?}");
    }
}

/// Requests behind which a client closes its side, and what the last response has.
const LAST: &[(&str, u16, &str)] = &[
    ("GET /x HTTP/1.1\r\n{ours}\r\n", 200, "plain"),
    ("GET /slow HTTP/1.1\r\n{ours}\r\n", 200, "slow"),
    ("GET /slow-chunks HTTP/1.1\r\n{ours}\r\n", 200, "chunks"),
    ("HEAD /slow HTTP/1.1\r\n{ours}\r\n", 200, ""),
    ("GET /slow HTTP/1.0\r\n{ours}\r\n", 200, "slow"),
    (
        "GET /slow HTTP/1.1\r\n{ours}Connection: close\r\n\r\n",
        200,
        "slow",
    ),
    (
        "GET /slow HTTP/1.1\r\n{ours}TE: trailers\r\n\r\n",
        200,
        "slow",
    ),
    (
        "POST /slow HTTP/1.1\r\n{ours}Content-Length: 2\r\n\r\nhi",
        200,
        "slow",
    ),
    (
        "POST /slow HTTP/1.1\r\n{ours}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        200,
        "slow",
    ),
    (
        "POST /slow HTTP/1.1\r\n{ours}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
        200,
        "slow",
    ),
    (
        "GET /x HTTP/1.1\r\n{ours}\r\nGET /slow HTTP/1.1\r\n{ours}\r\n",
        200,
        "slow",
    ),
    (
        "GET /slow HTTP/1.1\r\n{ours}\r\nGET /x HTTP/1.1\r\n{ours}\r\nGET /slow HTTP/1.1\r\n{ours}\r\n",
        200,
        "slow",
    ),
    (
        "POST /x HTTP/1.1\r\n{ours}Content-Length: 2\r\n\r\nhiGET /slow HTTP/1.1\r\n{ours}\r\n",
        200,
        "slow",
    ),
    (
        "GET /health HTTP/1.1\r\n{ours}\r\nGET /slow HTTP/1.1\r\n{ours}\r\n",
        200,
        "slow",
    ),
    (
        "GET /slow HTTP/1.1\r\n{ours}\r\nGET /health HTTP/1.1\r\n{ours}\r\n",
        200,
        "choiros-hypervisor",
    ),
    (
        "GET /health HTTP/1.1\r\nHost: h\r\n\r\n",
        200,
        "choiros-hypervisor",
    ),
    (
        "GET /x HTTP/1.1\r\nHost: h\r\nSec-Fetch-Mode: cors\r\n\r\n",
        401,
        "unauthenticated",
    ),
    (
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
        401,
        "unauthenticated",
    ),
];

#[tokio::test]
async fn a_client_that_closes_its_side_gets_its_response() {
    let site = Site::start().await;
    let slow = First::Wait(Duration::from_millis(300));
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow";
    site.sandbox.script("/slow", Script::new(whole).first(slow));
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nchunks\r\n0\r\n\r\n";
    let chunks = Script::new(chunks).first(slow);
    site.sandbox.script("/slow-chunks", chunks);
    let tried = LAST.iter().map(async |(requests, status, text)| {
        let requests = requests.replace("{ours}", &site.ours);
        let count = requests.matches(" HTTP/1.").count();
        let mut wire = site.connect().await;
        wire.send(&requests).await;
        wire.finish().await;
        let mut reply = Reply::default();
        for _ in 0..count {
            reply = wire.reply(requests.starts_with("HEAD")).await;
        }
        let right = reply.status == *status && reply.content.whole && reply.text().contains(text);
        (!right).then(|| format!("{requests:?}: {} {}", reply.status, reply.why))
    });
    let wrongs = futures_util::future::join_all(tried).await;
    nothing_wrong(&wrongs.into_iter().flatten().collect::<Vec<_>>());
}

/// Trailers of a request that no sandbox may see.
const SPOOFED: &[&str] = &[
    "X-ChoirOS-User-Id",
    "x-choiros-role",
    "X_ChoirOS_User_Id",
    "X.ChoirOS.User!Id",
    "X-Forwarded-For",
    "X_Forwarded_For",
    "X-Forwarded~Host",
    "Forwarded",
    "Connection",
    "Keep-Alive",
    "Proxy-Authorization",
    "TE",
    "Upgrade",
];

fn check_trailers(seen: &Seen, how: &str, cookie: &str) -> Vec<String> {
    let trailers = &seen.content.trailers;
    let mut wrongs = Vec::new();
    let has = |name: &str| trailers.iter().any(|it| it.0.eq_ignore_ascii_case(name));
    if !has("x-checksum") {
        wrongs.push(format!("{how}: X-Checksum did not come: {trailers:?}"));
    }
    for (name, value) in trailers {
        if value.contains("EVIL") || value.contains(cookie) {
            wrongs.push(format!("{how}: {name}: {value} came"));
        }
    }
    wrongs
}

#[tokio::test]
async fn trailers_of_a_request_are_filtered_as_its_headers_are() {
    let site = Site::start().await;
    let cookie = &site.cookie;
    let mut wrongs = Vec::new();
    let names = SPOOFED.join(", ");
    let spoofed = lines(SPOOFED, "EVIL");
    let request = format!(
        "{}Transfer-Encoding: chunked\r\nTrailer: X-Checksum, Cookie, {names}\r\n\r\n\
         2\r\nhi\r\n0\r\n{spoofed}Cookie: a=1; {cookie}\r\nX-Checksum: 1\r\n\r\n",
        site.head("POST /http1")
    );
    let reply = site.ask(request).await;
    if reply.status != 200 {
        wrongs.push(format!("HTTP/1: {} {}", reply.status, reply.text()));
    }
    wrongs.extend(check_trailers(
        &site.sandbox.last("/http1"),
        "HTTP/1",
        cookie,
    ));

    let mut trailers = HeaderMap::new();
    // Those of a connection have no place in HTTP/2.
    let of_a_connection = ["connection", "keep-alive", "te", "upgrade"];
    let names = SPOOFED.iter().map(|name| name.to_ascii_lowercase());
    for name in names.filter(|name| !of_a_connection.contains(&name.as_str())) {
        let name = HeaderName::try_from(name).unwrap();
        trailers.insert(name, HeaderValue::from_static("EVIL"));
    }
    trailers.insert("cookie", format!("a=1; {cookie}").parse().unwrap());
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let request = Request::post(format!("http://{}/http2", site.host))
        .header("cookie", cookie)
        .header(
            "trailer",
            "x-checksum, cookie, x-choiros-user-id, x-forwarded-for",
        )
        .body(());
    let client = Client::connect(site.gateway.address()).await;
    let reply = client.ask(request.unwrap(), Some(b"hi"), Some(trailers));
    let reply = reply.await;
    if reply.status != 200 {
        wrongs.push(format!("HTTP/2: {} {}", reply.status, reply.why));
    }
    wrongs.extend(check_trailers(
        &site.sandbox.last("/http2"),
        "HTTP/2",
        cookie,
    ));
    nothing_wrong(&wrongs);
}

/// Trailers of a response that no client may see.
const SHARED: &[&str] = &[
    "Set-Cookie: choiros=EVIL; Path=/",
    "Set-Cookie: a=EVIL",
    "Clear-Site-Data: \"EVIL\"",
    "Strict-Transport-Security: EVIL",
    "Service-Worker-Allowed: /EVIL",
    "Alt-Svc: EVIL",
    "X-Accel-Redirect: /EVIL",
    "Connection: EVIL",
    "Keep-Alive: EVIL",
];

#[tokio::test]
async fn trailers_of_a_response_are_filtered_as_its_headers_are() {
    let site = Site::start().await;
    let names: Vec<_> = SHARED
        .iter()
        .filter_map(|it| it.split(':').next())
        .collect();
    let response = format!(
        "HTTP/1.1 200 OK\r\nTrailer: X-Checksum, {}\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\nhi\r\n0\r\n{}\r\nX-Checksum: 1\r\n\r\n",
        names.join(", "),
        SHARED.join("\r\n")
    );
    site.sandbox.script("/x", Script::new(response));
    let http1 = site.ask(site.head("GET /x") + "TE: trailers\r\n\r\n").await;
    let request = Request::get(format!("http://{}/x", site.host))
        .header("cookie", &site.cookie)
        .header("te", "trailers")
        .body(());
    let client = Client::connect(site.gateway.address()).await;
    let http2 = client.ask(request.unwrap(), None, None).await;
    for (reply, how) in [(http1, "HTTP/1"), (http2, "HTTP/2")] {
        assert_eq!(reply.text(), "hi", "{how}: {}", reply.why);
        let trailers = format!("{:?}", reply.content.trailers).to_lowercase();
        assert!(trailers.contains("x-checksum"), "{how}: {trailers}");
        assert!(!trailers.contains("evil"), "{how}: {trailers}");
    }
}
