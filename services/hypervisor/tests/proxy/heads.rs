//! What a sandbox learns of a request, and a client of a response.

use crate::gateway::{AnyClient, Gateway, USER, client, client_of_http2, full, json};
use http::{HeaderName, Request};
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::raw::{Raw, status};
use testkit::upstream::Upstream;
use tokio::net::TcpListener;

/// What the upstream saw of a GET with these headers; the values of one name joined with `|`.
async fn seen(
    client: &AnyClient,
    gateway: &Gateway,
    headers: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let mut request = Request::get(gateway.url("/echo"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(full("")).unwrap();
    let echo = json(client.request(request).await.unwrap()).await;
    lines(&echo)
}

fn lines(echo: &Value) -> BTreeMap<String, String> {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for pair in echo["headers"].as_array().unwrap() {
        let value = pair[1].as_str().unwrap();
        let line = lines.entry(pair[0].as_str().unwrap().to_owned());
        line.and_modify(|line| *line = [line, value].join("|"))
            .or_insert_with(|| value.to_owned());
    }
    lines
}

fn names(lines: &BTreeMap<String, String>) -> Vec<&str> {
    lines.keys().map(String::as_str).collect()
}

/// What every request has behind the proxy.
const ADDED: [&str; 10] = [
    "host",
    "traceparent",
    "x-choiros-generation",
    "x-choiros-role",
    "x-choiros-user-id",
    "x-choiros-user-name",
    "x-choiros-workspace",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

#[tokio::test]
async fn a_sandbox_is_told_who_calls_and_from_where() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for client in [client(), client_of_http2()] {
        let lines = seen(&client, &gateway, &[]).await;
        assert_eq!(names(&lines), ADDED);
        let host = gateway.address.to_string();
        assert_eq!(lines["host"], host);
        assert_eq!(lines["x-forwarded-host"], host);
        assert_eq!(lines["x-forwarded-for"], "127.0.0.1");
        assert_eq!(lines["x-forwarded-proto"], "http");
        assert_eq!(lines["x-choiros-user-id"], USER.to_string());
        assert_eq!(lines["x-choiros-workspace"], "sandbox");
        assert_eq!(lines["x-choiros-role"], "live");
        assert_eq!(lines["x-choiros-generation"], "7");
        assert_eq!(lines["traceparent"].len(), 55);
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_not_believed() {
    let upstream = Upstream::start().await.unwrap();
    let given = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-for", "7.7.7.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "1"),
        ("forwarded", "for=6.6.6.6"),
        ("x-choiros-user-id", "00000000-0000-0000-0000-000000000000"),
        ("x-choiros-admin", "yes"),
        ("x_choiros_user_id", "somebody"),
        ("x.choiros!user~id", "somebody"),
        ("x_forwarded.for", "6.6.6.6"),
        ("connection", "x-choiros-role, x-forwarded-for"),
    ];
    let gateway = Gateway::before(upstream.address()).await;
    let lines = seen(&client(), &gateway, &given).await;
    assert_eq!(names(&lines), ADDED);
    assert_eq!(lines["x-forwarded-for"], "127.0.0.1");
    assert_eq!(lines["x-choiros-user-id"], USER.to_string());

    let trusting = Gateway::start(upstream.address(), |it| it.trusted = true).await;
    let lines = seen(&client(), &trusting, &given[..11]).await;
    assert_eq!(lines["x-forwarded-for"], "6.6.6.6, 7.7.7.7, 127.0.0.1");
    assert_eq!(lines["x-forwarded-proto"], "https");
    assert_eq!(lines["x-forwarded-host"], "evil.example");
    assert_eq!(lines["x-forwarded-port"], "1");
    assert_eq!(lines["forwarded"], "for=6.6.6.6");
    assert_eq!(lines["x-choiros-user-id"], USER.to_string());
    for (name, _) in &given[7..11] {
        assert!(
            *name == "x-choiros-user-id" || !lines.contains_key(*name),
            "{name}"
        );
    }
}

#[tokio::test]
async fn our_cookies_stay_with_us_and_all_others_pass() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for (given, left) in [
        (&["choiros=secret"][..], None),
        (&["a=1; choiros=secret; b=\"2 3\""], Some("a=1; b=\"2 3\"")),
        (
            &["choiros-ceremony=x", "a=1", "b=2;c=3"],
            Some("a=1|b=2;c=3"),
        ),
    ] {
        let headers: Vec<_> = given.iter().map(|line| ("cookie", *line)).collect();
        let lines = seen(&client(), &gateway, &headers).await;
        assert_eq!(lines.get("cookie").map(String::as_str), left);
    }
    let crumbs = [
        ("cookie", "a=1"),
        ("cookie", "choiros=x"),
        ("cookie", "b=2"),
    ];
    let lines = seen(&client_of_http2(), &gateway, &crumbs).await;
    assert_eq!(lines["cookie"], "a=1; b=2");

    let planted = "/reply?header=set-cookie:a%3D1&header=set-cookie:choiros%3Devil;%20Path%3D/\
                   &header=set-cookie:b%3D2&header=x-other:choiros%3D1";
    let response = client().get(gateway.url(planted).parse().unwrap()).await;
    let response = response.unwrap();
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(response.headers()["x-other"], "choiros=1");
}

#[tokio::test]
async fn what_is_meant_for_one_hop_ends_there() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let mut raw = Raw::connect(gateway.address).await.unwrap();
    raw.send(
        "GET / HTTP/1.1\r\nHost: a.example\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n\
         Proxy-Authorization: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nX-One: 1\r\nX-Two: 2\r\n\
         Connection: Upgrade, HTTP2-Settings, X-One\r\nConnection: x-two, host, \"\u{e4}\r\n\
         TE: gzip\r\nX-Three: 3\r\n\r\n",
    )
    .await
    .unwrap();
    let received = raw.read_until("}").await.unwrap();
    assert_eq!(status(&received), Some(200));
    let echo = serde_json::from_str(received.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let mut expected = ADDED.to_vec();
    expected.push("x-three");
    expected.sort_unstable();
    let lines = lines(&echo);
    assert_eq!(names(&lines), expected);
    assert_eq!(lines["host"], "a.example");

    let lines = seen(
        &client(),
        &gateway,
        &[("te", "gzip, trailers;q=1, trailers")],
    )
    .await;
    assert_eq!(lines["te"], "trailers");
    assert_eq!(lines["connection"], "te");

    let reply = "/reply?header=connection:x-one&header=x-one:1&header=keep-alive:1\
                 &header=proxy-authenticate:1&header=trailer:x-sum&header=x-two:2";
    let response = client().get(gateway.url(reply).parse().unwrap()).await;
    let response = response.unwrap();
    let mut left: Vec<_> = response.headers().keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["content-length", "date", "trailer", "x-two"]);
}

#[tokio::test]
async fn the_target_passes_byte_for_byte() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for (method, target, passed) in [
        ("GET", "/a%2Fb//c/../d;e?x=%20&y=+&&", None),
        ("GET", "//evil.example/%00", None),
        ("GET", "/?", None),
        ("DELETE", "/%C3%A4?%zz", None),
        ("OPTIONS", "*", None),
        ("GET", "http://b.example/c?d", Some("/c?d")),
    ] {
        let mut raw = Raw::connect(gateway.address).await.unwrap();
        raw.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: b.example\r\n\r\n"
        ))
        .await
        .unwrap();
        let response = raw.read_until("}").await.unwrap();
        let echo: Value = serde_json::from_str(response.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(echo["target"], passed.unwrap_or(target));
        assert_eq!(echo["method"], method);
        assert_eq!(lines(&echo)["host"], "b.example");
    }
}

#[tokio::test]
async fn a_valid_trace_goes_on() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let lines = seen(
        &client(),
        &gateway,
        &[("traceparent", given), ("tracestate", "a=b")],
    )
    .await;
    assert_eq!(lines["traceparent"][..36], given[..36]);
    assert_ne!(lines["traceparent"][36..52], given[36..52]);
    assert_eq!(lines["tracestate"], "a=b");
}

#[tokio::test]
async fn everything_else_of_a_response_is_untouched() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    let reply = "/reply?status=299&header=x-a:1&header=x-a:2&header=location:http://x.example/\
                 &header=server:mine&header=date:then&header=content-length:0";
    let response = client().get(gateway.url(reply).parse().unwrap()).await;
    let response = response.unwrap();
    assert_eq!(response.status(), 299);
    let headers = response.headers();
    let twice: Vec<_> = headers.get_all("x-a").iter().collect();
    assert_eq!(twice, ["1", "2"]);
    assert_eq!(headers["location"], "http://x.example/");
    assert_eq!(
        (&headers["server"], &headers["date"]),
        (&"mine".parse().unwrap(), &"then".parse().unwrap())
    );
    assert_eq!(headers.len(), 6);
}

#[tokio::test]
async fn names_are_written_as_the_client_wrote_them() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let mut client = Raw::connect(gateway.address).await.unwrap();
    let mut upstream = None;
    for _ in 0..2 {
        client
            .send(
                "GET / HTTP/1.1\r\nHOST: a\r\nSec-WebSocket-Key: x\r\nX-LIST: 1\r\nx-List: 2\r\n\
                 Cookie: choiros=t\r\nCOOKIE: b=1\r\nX-ChoirOS-Role: dev\r\nKeep-Alive: 9\r\n\
                 Connection: X-Gone\r\nX-Gone: 1\r\n\r\n",
            )
            .await
            .unwrap();
        if upstream.is_none() {
            upstream = Some(Raw::accept(&listener).await.unwrap());
        }
        let upstream = upstream.as_mut().unwrap();
        let head = upstream.read_head().await.unwrap();
        for line in ["HOST: a", "Sec-WebSocket-Key: x", "X-LIST: 1", "x-List: 2"] {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
        }
        let lower = head.to_lowercase();
        for (name, count) in [
            ("host", 1),
            ("cookie", 1),
            ("x-list", 2),
            ("x-choiros-role", 1),
            ("x-gone", 0),
            ("keep-alive", 0),
            ("connection", 0),
        ] {
            let found = lower.matches(&format!("\r\n{name}:")).count();
            assert_eq!(found, count, "{name} in {head}");
        }
        assert!(lower.contains("\r\nx-choiros-role: live\r\n"), "{head}");
        upstream
            .send("HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
        client.read_head().await.unwrap();
        gateway.unclaimed().await;
    }
}

#[tokio::test]
async fn a_date_that_all_files_of_a_store_have_is_not_passed_on() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for (date, passed) in [
        ("Thu,%2001%20Jan%201970%2000:00:01%20GMT", false),
        ("Thu,%2001%20Jan%201970%2000:00:00%20GMT", false),
        ("Thu%20Jan%20%201%2000:00:01%201970", false),
        ("Fri,%2002%20Jan%201970%2000:00:01%20GMT", true),
        ("Mon,%2009%20Nov%202026%2010:00:00%20GMT", true),
        ("then", true),
    ] {
        let reply = format!("/reply?header=last-modified:{date}");
        let response = client().get(gateway.url(&reply).parse().unwrap()).await;
        let response = response.unwrap();
        assert_eq!(
            response.headers().contains_key("last-modified"),
            passed,
            "{date}"
        );
    }
}
