//! What goes through as it is: the case of names, and 1xx.

use crate::frames;
use crate::h2::Client;
use crate::nothing_wrong;
use crate::sandbox::Script;
use crate::site::Site;
use crate::wire::Reply;
use http::Request;
use std::time::Duration;

/// Fields whose names a sandbox may compare by bytes.
const FIELDS: &[&str] = &[
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "X-CamelCase: 1",
    "x-lower-case: 1",
    "X-UPPER-CASE: 1",
    "SOAPAction: x",
    "x-AMZ-Date: y",
    "DNT: 1",
    "ETag: x",
    "AUTHORIZATION: Basic x",
    "uSER-aGENT: x",
];

#[tokio::test]
async fn a_sandbox_gets_names_in_the_case_they_were_written_in() {
    let site = Site::start().await;
    let fields = FIELDS.join("\r\n");
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let mut wrongs = Vec::new();
    for (method, path, rest) in [
        ("GET", "/get", "\r\n"),
        ("GET", "/te", "TE: trailers\r\n\r\n"),
        ("GET", "/own-cookie-alone", "X-A: 1\r\nX-A: 2\r\n\r\n"),
        ("POST", "/post", "Content-Length: 2\r\n\r\nhi"),
        (
            "POST",
            "/expect",
            "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
        ),
        (
            "POST",
            "/chunked",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        ),
        ("GET", "/upgrade", &format!("{upgrade}\r\n")),
    ] {
        let head = site.head(&format!("{method} {path}"));
        site.ask(format!("{head}{fields}\r\n{rest}")).await;
        let seen = site.sandbox.last(path).head;
        let text = String::from_utf8_lossy(&seen.bytes).into_owned();
        for field in FIELDS {
            if !text.contains(&format!("\r\n{field}\r\n")) {
                wrongs.push(format!("{path}: no {field:?} in {:?}", seen.fields));
            }
        }
    }
    nothing_wrong(&wrongs);
}

/// As Python's and Arduino's servers are.
#[tokio::test]
async fn a_websocket_server_that_compares_by_bytes_is_upgraded_to() {
    let site = Site::start().await;
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let script = Script {
        reusable: false,
        ..Script::new(switching)
    };
    site.sandbox.script("/ws", script);
    let origin = format!("Origin: http://{}\r\n", site.host);
    let request = site.head("GET /ws")
        + &origin
        + "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
           Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let reply = site.ask(request).await;
    assert_eq!(reply.status, 101, "{}", reply.text());
    let seen = String::from_utf8(site.sandbox.last("/ws").head.bytes).unwrap();
    let key = "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert!(seen.contains(key), "{seen}");
    assert!(seen.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{seen}");
}

/// Interim responses, and those that a client gets of them.
const INTERIM: &[(&str, &[u16])] = &[
    (
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
        &[103],
    ),
    ("HTTP/1.1 102 Processing\r\n\r\n", &[102]),
    (
        "HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 1\r\n\r\n",
        &[104],
    ),
    (
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n\
         HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\n",
        &[103, 103],
    ),
    (
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
        &[102, 103],
    ),
];

fn interim(reply: &Reply) -> Vec<u16> {
    // Of 100 there may be one more, by the gateway's own word.
    let all = reply.interim.iter().map(|(status, _)| *status);
    all.filter(|status| *status != 100).collect()
}

#[tokio::test]
async fn interim_responses_are_passed_on_over_http1() {
    let site = Site::start().await;
    let client = Client::connect(site.gateway.address()).await;
    let mut wrongs = Vec::new();
    let mut check = |how: &str, reply: &Reply, wanted: &[u16]| {
        let got = interim(reply);
        if got != wanted || reply.text() != "hi" {
            let (text, why) = (reply.text(), &reply.why);
            wrongs.push(format!(
                "{how}: {got:?} and {text:?} ({why}), not {wanted:?}"
            ));
        }
    };
    for (index, (interim, wanted)) in INTERIM.iter().enumerate() {
        let path = format!("/{index}");
        let response = format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        site.sandbox.script(&path, Script::new(response));
        for (how, rest) in [
            ("GET", "\r\n"),
            ("GET", "TE: trailers\r\n\r\n"),
            ("GET", "Connection: close\r\n\r\n"),
            ("POST", "Content-Length: 2\r\n\r\nhi"),
            (
                "POST",
                "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            ),
            (
                "POST",
                "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
            ),
        ] {
            let reply = site.ask(site.head(&format!("{how} {path}")) + rest).await;
            check(&format!("{how} {path} {rest:?}"), &reply, wanted);
        }
        // hyper's server of HTTP/2 has no way to send any: the response comes all the same.
        let uri = || Request::get(format!("http://{}{path}", site.host));
        let request = uri().header("cookie", &site.cookie).body(()).unwrap();
        let reply = client.ask(request, None, None).await;
        check(&format!("HTTP/2 {path}"), &reply, &[]);
        let request = uri().method("POST").header("cookie", &site.cookie);
        let reply = client
            .ask(request.body(()).unwrap(), Some(b"hi"), None)
            .await;
        check(&format!("HTTP/2 POST {path}"), &reply, &[]);
        // HTTP/1.0 has none (RFC 9110, section 15.2).
        let old = format!("GET {path} HTTP/1.0\r\n{}\r\n", site.ours);
        check(&format!("HTTP/1.0 {path}"), &site.ask(old).await, &[]);
    }
    nothing_wrong(&wrongs);
}

#[tokio::test]
async fn an_interim_response_is_filtered_as_a_response_is() {
    let site = Site::start().await;
    let response = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\
        Set-Cookie: choiros=EVIL; Path=/\r\nClear-Site-Data: \"EVIL\"\r\nAlt-Svc: EVIL\r\n\
        Strict-Transport-Security: EVIL\r\nConnection: X-Hop\r\nX-Hop: EVIL\r\nKeep-Alive: EVIL\r\n\
        Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    site.sandbox.script("/x", Script::new(response));
    let http1 = site.ask(site.head("GET /x") + "\r\n").await;
    let request = Request::get(format!("http://{}/x", site.host)).header("cookie", &site.cookie);
    let client = Client::connect(site.gateway.address()).await;
    let http2 = client.ask(request.body(()).unwrap(), None, None).await;
    for (reply, how) in [(http1, "HTTP/1"), (http2, "HTTP/2")] {
        // It may as well be dropped, or the response refused, for its framing is nonsense.
        let came = format!("{:?}", reply.interim).to_lowercase();
        for never in ["evil", "transfer-encoding", "content-length"] {
            assert!(!came.contains(never), "{how}: {came}");
        }
        assert!(matches!(reply.status, 200 | 502), "{how}: {}", reply.why);
    }
}

/// The most memory that a process ever had, in MiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn interim_responses_that_nobody_takes_are_not_kept() {
    const MIB: usize = 128;
    let site = Site::start().await;
    let hint = format!(
        "HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n",
        "x".repeat(4000)
    );
    let mut response = hint.repeat((MIB << 20) / hint.len()).into_bytes();
    response.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    site.sandbox.script("/hints", Script::new(response));
    let before = peak(site.gateway.pid());
    let mut http1 = site.connect().await;
    http1.send(site.head("GET /hints") + "\r\n").await;
    let fields: &[(&[u8], &[u8])] = &[
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":authority", site.host.as_bytes()),
        (b":path", b"/hints"),
        (b"cookie", site.cookie.as_bytes()),
    ];
    let request = frames::frame(
        frames::HEADERS,
        frames::END_STREAM | frames::END_HEADERS,
        1,
        &frames::block(fields),
    );
    let settings = frames::frame(frames::SETTINGS, 0, 0, &[]);
    let mut http2 = site.connect().await;
    http2
        .send([frames::PREFACE, &settings, &request].concat())
        .await;
    let asked = || site.sandbox.seen("/hints").len() == 2;
    testkit::wait::until("both are asked", asked).await;
    // As long as it would take to keep them all.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let grown = peak(site.gateway.pid()) - before;
    assert!(grown < MIB as u64 / 4, "{grown} MiB");
}
