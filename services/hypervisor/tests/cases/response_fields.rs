//! What a client reads of a response that is passed on, and an operator of one that is not.

use crate::h2::Client;
use crate::sandbox::Script;
use crate::site::Site;
use crate::wire::Reply;
use crate::{lines, nothing_wrong};
use http::Request;

/// The responses to a request of either protocol for this path.
async fn both(site: &Site, path: &str) -> [(&'static str, Reply); 2] {
    let request = Request::get(format!("http://{}{path}", site.host))
        .header("cookie", &site.cookie)
        .header("te", "trailers")
        .header("accept", "application/json")
        .body(());
    let client = Client::connect(site.gateway.address()).await;
    let http1 =
        site.head(&format!("GET {path}")) + "TE: trailers\r\nAccept: application/json\r\n\r\n";
    [
        ("HTTP/1", site.ask(http1).await),
        ("HTTP/2", client.ask(request.unwrap(), None, None).await),
    ]
}

#[tokio::test]
async fn a_length_that_was_said_twice_is_said_once() {
    let site = Site::start().await;
    let mut wrongs = Vec::new();
    for (index, lengths) in [
        "Content-Length: 2, 2",
        "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: 2,2, 2\r\ncontent-length: 2",
    ]
    .iter()
    .enumerate()
    {
        let path = format!("/{index}");
        let response = format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nhi");
        site.sandbox.script(&path, Script::new(response));
        for (how, reply) in both(&site, &path).await {
            let said = reply.head.values("content-length");
            if said != ["2"] || reply.text() != "hi" {
                wrongs.push(format!("{lengths:?} by {how}: {said:?} {}", reply.why));
            }
        }
    }
    nothing_wrong(&wrongs);
}

#[tokio::test]
async fn extensions_of_chunks_and_trailers_that_would_reframe_are_not_passed_on() {
    let site = Site::start().await;
    let head = "HTTP/1.1 200 OK\r\nTrailer: X-Sum, Content-Length, Transfer-Encoding, Host\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    let extended = "2;a=b\r\nhi\r\n0;last=\"ä\"\r\nX-Sum: 1\r\n\r\n";
    site.sandbox
        .script("/extended", Script::new(format!("{head}{extended}")));
    let reframing = "2\r\nhi\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nHost: x\r\n\r\n";
    let script = Script {
        reusable: false,
        ..Script::new(format!("{head}{reframing}"))
    };
    site.sandbox.script("/reframing", script);
    for (how, reply) in both(&site, "/extended").await {
        assert_eq!(reply.text(), "hi", "{how}: {}", reply.why);
        let framed = String::from_utf8_lossy(&reply.content.framed);
        assert!(!framed.contains(';'), "{how}: {framed}");
    }
    for (how, reply) in both(&site, "/reframing").await {
        assert_eq!(reply.content.trailers, [], "{how}");
    }
}

#[tokio::test]
async fn every_line_of_a_large_head_arrives() {
    let site = Site::start().await;
    let cookie = |index| format!("Set-Cookie: c{index}={}\r\n", "v".repeat(72));
    let cookies: String = (0..450).map(cookie).collect();
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{cookies}\r\nhi");
    site.sandbox.script("/x", Script::new(response));
    for (how, reply) in both(&site, "/x").await {
        assert_eq!(
            reply.head.values("set-cookie").len(),
            450,
            "{how}: {}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn an_operator_raises_and_lowers_the_limit_of_a_responses_head() {
    let head = |kib: usize| {
        let names = (0..kib * 8).map(|index| format!("X-{index:04}"));
        let lines = lines(names, &"v".repeat(118));
        format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{lines}\r\nhi")
    };
    for (limit, passes, refused) in [(128 * 1024, 100, 140), (8 * 1024, 6, 12)] {
        let config = format!("[proxy]\nmax_response_header_bytes = {limit}");
        let site = Site::with(&config, None, |builder| builder).await;
        site.sandbox.script("/passes", Script::new(head(passes)));
        site.sandbox.script("/refused", Script::new(head(refused)));
        for (how, reply) in both(&site, "/passes").await {
            assert_eq!(reply.status, 200, "{how}, {limit}: {}", reply.text());
        }
        for (how, reply) in both(&site, "/refused").await {
            assert_eq!(reply.status, 502, "{how}, {limit}");
            let text = reply.text();
            assert!(
                text.contains("proxy.max_response_header_bytes"),
                "{how}: {text}"
            );
        }
    }
}

/// Responses that are refused, and a word of the reason.
const REASONS: &[(&str, &str)] = &[
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding",
    ),
    (
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0",
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nhi",
        "Content-Length",
    ),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n b\r\n\r\nhi", ""),
];

#[tokio::test]
async fn the_reason_of_a_refusal_is_told_to_the_client_and_in_the_log() {
    let warns = |builder: testkit::harness::Builder| builder.env("HYPERVISOR_LOG_FILTER", "warn");
    let mut site = Site::with("", None, warns).await;
    let mut wrongs = Vec::new();
    for (index, (response, word)) in REASONS.iter().enumerate() {
        let path = format!("/{index}");
        let script = Script {
            reusable: false,
            ..Script::new(response)
        };
        site.sandbox.script(&path, script);
        for (how, reply) in both(&site, &path).await {
            let text = reply.text();
            if reply.status != 502 || !text.contains("sandbox-live") || !text.contains(word) {
                wrongs.push(format!("{response:?} by {how}: {} {text}", reply.status));
            }
        }
    }
    let logged = testkit::wait::eventually("the reasons in the log", async || {
        let stderr = site.gateway.process().stderr();
        let warns = |word: &str| {
            let mut lines = stderr.lines().filter(|it| it.contains("WARN"));
            lines.any(|it| it.contains("sandbox-live") && it.contains(word))
        };
        REASONS.iter().all(|(_, word)| warns(word)).then_some(())
    });
    wrongs.extend(logged.await.err().map(|error| error.to_string()));
    nothing_wrong(&wrongs);
}

/// Everything from a Nix store is of the first second of 1970, whatever it is.
#[tokio::test]
async fn a_date_that_all_files_have_is_no_validator() {
    let site = Site::start().await;
    for (path, date, passes) in [
        ("/nix", "Thu, 01 Jan 1970 00:00:01 GMT", false),
        ("/zero", "Thu, 01 Jan 1970 00:00:00 GMT", false),
        ("/dated", "Fri, 02 Jan 2026 00:00:01 GMT", true),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nLast-Modified: {date}\r\nETag: \"x\"\r\n");
        let response = head + "Content-Length: 2\r\n\r\nhi";
        site.sandbox.script(path, Script::new(response));
        for (how, reply) in both(&site, path).await {
            let dates = reply.head.values("last-modified");
            assert_eq!(
                dates.len(),
                usize::from(passes),
                "{path} by {how}: {dates:?}"
            );
            let tags = reply.head.values("etag");
            assert!(tags[0].ends_with("~x\""), "{path} by {how}: {tags:?}");
            assert_eq!(reply.text(), "hi", "{path} by {how}");
        }
    }
}
