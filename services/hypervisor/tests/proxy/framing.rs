//! Answers of every framing, the good and the bad, and what may come after them.

use crate::gateway::Gateway;
use std::time::Duration;
use testkit::raw::{Raw, status};
use tokio::net::TcpListener;
use tokio::time::sleep;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// Long enough for the other end, in the same process, to have read what was sent.
const MOMENT: Duration = Duration::from_millis(2);

/// A client, and the sandbox's side of the gateway.
struct Between {
    client: Raw,
    listener: TcpListener,
    gateway: Gateway,
}

impl Between {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::before(listener.local_addr().unwrap()).await;
        let client = Raw::connect(gateway.address).await.unwrap();
        Self {
            client,
            listener,
            gateway,
        }
    }

    /// Sends a request, and takes it on a new connection.
    async fn ask(&mut self, request: &str) -> Raw {
        self.client.send(request).await.unwrap();
        let mut sandbox = Raw::accept(&self.listener).await.unwrap();
        sandbox.read_head().await.unwrap();
        sandbox
    }

    /// Has an ordinary request answered on the client's same connection, by a new one to the
    /// sandbox.
    async fn goes_on(&mut self) {
        let sandbox = self.ask(GET).await;
        self.respond(sandbox).await;
    }

    /// The same by this one.
    async fn goes_on_with(&mut self, mut sandbox: Raw) {
        self.client.send(GET).await.unwrap();
        sandbox.read_head().await.unwrap();
        self.respond(sandbox).await;
    }

    async fn respond(&mut self, mut sandbox: Raw) {
        sandbox
            .send("HTTP/1.1 299 Next\r\nContent-Length: 4\r\n\r\nnext")
            .await
            .unwrap();
        let head = self.client.read_until("next").await.unwrap();
        assert_eq!(status(&head), Some(299), "{head}");
    }
}

#[tokio::test]
async fn chunks_arrive_whole_however_they_come_and_extensions_do_not() {
    let mut it = Between::new().await;
    let ask = "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: Chunked\r\n\r\n";
    let body = "4;a=\"b \u{e4}\"\r\nbody\r\n00A\t \r\n0123456789\r\n0;c\r\nX-Sum: 42\r\n\r\n";
    let passed = "4\r\nbody\r\nA\r\n0123456789\r\n0\r\nx-sum: 42\r\n\r\n";
    let response = format!("{head}{body}");
    let response = response.as_bytes();
    let mut sandbox = it.ask(ask).await;
    for at in 1..response.len() {
        sandbox.send(&response[..at]).await.unwrap();
        sleep(MOMENT).await;
        sandbox.send(&response[at..]).await.unwrap();
        let head = it.client.read_head().await.unwrap();
        assert!(head.contains("\r\ntrailer: X-Sum\r\n"), "{head}");
        assert!(
            head.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{head}"
        );
        let body = it.client.read_until("x-sum: 42\r\n\r\n").await.unwrap();
        assert_eq!(unchunked(&body), unchunked(passed), "split at {at}");
        // Nothing is left over, or the sandbox's connection were not used again.
        it.client.send(ask).await.unwrap();
        sandbox.read_head().await.unwrap();
    }
}

/// A chunked body's bytes, and behind them its last chunk and its trailers.
fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole + body;
        }
        whole += &rest[..size];
        body = rest[size..].strip_prefix("\r\n").unwrap();
    }
}

#[tokio::test]
async fn extensions_may_be_as_long_as_the_body() {
    let mut it = Between::new().await;
    let mut sandbox = it.ask(GET).await;
    let signed = format!("1;signature={}\r\nx\r\n", "f".repeat(64)).repeat(2000);
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    sandbox
        .send(format!("{head}{signed}0\r\n\r\n"))
        .await
        .unwrap();
    let received = it.client.read_until("\r\n0\r\n\r\n").await.unwrap();
    let body = received.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(unchunked(body), format!("{}0\r\n\r\n", "x".repeat(2000)));
    it.goes_on_with(sandbox).await;
}

#[tokio::test]
async fn responses_without_a_body_leave_the_connection_in_order() {
    for (request, response) in [
        (GET, "HTTP/1.1 204 No Content\r\n\r\n"),
        (GET, "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"),
        (
            GET,
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        ),
        (GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
        ),
        (
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        ),
        (
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
    ] {
        let mut it = Between::new().await;
        let mut sandbox = it.ask(request).await;
        for _ in 0..2 {
            sandbox.send(response).await.unwrap();
            let head = it.client.read_head().await.unwrap();
            assert_eq!(status(&head), status(response), "{head}");
            it.gateway.unclaimed().await;
            it.client.send(request).await.unwrap();
            sandbox.read_head().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_response_up_to_the_connections_end_is_chunked() {
    for version in ["1.0", "1.1"] {
        let mut it = Between::new().await;
        let mut sandbox = it.ask(GET).await;
        let response = format!("HTTP/{version} 200 OK\r\nConnection: close\r\n\r\n");
        sandbox.send(response).await.unwrap();
        let head = it.client.read_head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(
            head.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{head}"
        );
        for piece in ["a piece", "another"] {
            sandbox.send(piece).await.unwrap();
            let chunk = it.client.read_until(piece).await.unwrap();
            assert!(chunk.ends_with(&format!("7\r\n{piece}")), "{chunk:?}");
        }
        drop(sandbox);
        it.client.read_until("\r\n0\r\n\r\n").await.unwrap();
        it.goes_on().await;
    }
}

#[tokio::test]
async fn what_comes_before_the_response_passes_but_for_continue() {
    let mut it = Between::new().await;
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let response = format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    let mut sandbox = it.ask(GET).await;
    for at in 1..response.len() {
        sandbox.send(&response[..at]).await.unwrap();
        sleep(MOMENT).await;
        sandbox.send(&response[at..]).await.unwrap();
        let early = it.client.read_head().await.unwrap();
        let hints = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
        assert_eq!(early, hints, "split at {at}");
        let passed = it.client.read_until("body").await.unwrap();
        assert_eq!(status(&passed), Some(200), "split at {at}: {passed}");
        it.client.send(GET).await.unwrap();
        sandbox.read_head().await.unwrap();
    }
}

#[tokio::test]
async fn a_bad_chunk_that_comes_with_the_head_is_a_502() {
    let mut it = Between::new().await;
    let mut sandbox = it.ask(GET).await;
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n";
    sandbox.send(chunked).await.unwrap();
    assert_eq!(status(it.client.read_head().await.unwrap()), Some(502));
}

#[tokio::test]
async fn a_chunk_that_is_none_never_ends_well() {
    for bad in [
        "x\r\n",
        "-1\r\n",
        "5\nhello\r\n",
        "1\r\nhello\r\n",
        "0\r\nnonsense\r\n\r\n",
    ] {
        let mut it = Between::new().await;
        let mut sandbox = it.ask(GET).await;
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n";
        sandbox.send(head).await.unwrap();
        it.client.read_until("4\r\nbody\r\n").await.unwrap();
        sandbox.send(bad).await.unwrap();
        sandbox.send("0\r\n\r\n").await.unwrap();
        let rest = it.client.read_to_end().await.unwrap().bytes;
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{bad:?}: a clean end");
        it.gateway.unclaimed().await;
    }
}

#[tokio::test]
async fn what_comes_behind_a_response_is_nobodys() {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    for (method, response, end) in [
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "ok",
        ),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "0\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", "\r\n\r\n"),
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n",
            "\r\n\r\n",
        ),
    ] {
        for at_once in [true, false] {
            let mut it = Between::new().await;
            let mut sandbox = it
                .ask(&format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"))
                .await;
            if at_once {
                sandbox.send(format!("{response}{evil}")).await.unwrap();
            } else {
                sandbox.send(response).await.unwrap();
                it.gateway.unclaimed().await;
                sandbox.send(evil).await.unwrap();
            }
            it.client.read_until(end).await.unwrap();
            sleep(10 * MOMENT).await;
            // On another connection, while this one is still open.
            it.goes_on().await;
        }
    }
}

#[tokio::test]
async fn a_length_is_said_once_and_only_if_it_is_one() {
    for (response, expected) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
            1,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", 1),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 0),
    ] {
        let mut it = Between::new().await;
        let mut sandbox = it.ask(GET).await;
        sandbox.send(response).await.unwrap();
        let head = it.client.read_head().await.unwrap().to_lowercase();
        assert_eq!(head.matches("content-length").count(), expected, "{head}");
    }
}

#[tokio::test]
async fn a_refusal_of_ours_has_no_body_for_head() {
    let mut it = Between::new().await;
    let sandbox = it.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    drop(sandbox);
    assert_eq!(status(it.client.read_head().await.unwrap()), Some(502));
    it.client.send(GET).await.unwrap();
    drop(Raw::accept(&it.listener).await.unwrap());
    let head = it.client.read_head().await.unwrap();
    assert_eq!(status(&head), Some(502), "{head}");
}

#[tokio::test]
async fn many_fields_do_not_keep_us_from_saying_why() {
    let mut it = Between::new().await;
    let fields = "X: y\r\n".repeat(60);
    let sandbox = it
        .ask(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
        .await;
    drop(sandbox);
    assert_eq!(status(it.client.read_head().await.unwrap()), Some(502));
}

#[tokio::test]
async fn the_request_after_one_that_took_too_long_has_its_own_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let gateway = Gateway::start(upstream, |it| it.proxy.response_secs = 2).await;
    let client = Raw::connect(gateway.address).await.unwrap();
    let mut it = Between {
        client,
        listener,
        gateway,
    };
    let _silent = it
        .ask("GET / HTTP/1.1\r\nHost: a\r\nSec-Fetch-Mode: cors\r\n\r\n")
        .await;
    let response = it.client.read_until("}").await.unwrap();
    assert_eq!(status(&response), Some(504));
    let mut sandbox = it.ask(GET).await;
    sleep(Duration::from_millis(200)).await;
    sandbox
        .send("HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(it.client.read_head().await.unwrap()), Some(204));
}

#[tokio::test]
async fn an_interim_response_is_a_sign_of_life() {
    let mut it = Between::new().await;
    let mut sandbox = it.ask(GET).await;
    sandbox
        .send("HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    it.client.read_head().await.unwrap();
    it.gateway.unclaimed().await;
    it.client.send(GET).await.unwrap();
    sandbox.read_head().await.unwrap();
    // It lives, so the request was heard, and is not asked a second time.
    sandbox
        .send("HTTP/1.1 103 Early Hints\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(it.client.read_head().await.unwrap()), Some(103));
    drop(sandbox);
    assert_eq!(status(it.client.read_head().await.unwrap()), Some(502));
}

#[tokio::test]
async fn an_event_stream_ends_cleanly_wherever_its_sandbox_is() {
    // Cut within the size, the data, and the line end of a chunk.
    for before in ["1", "14\r\ndata: 0123", "14\r\ndata: 0123456789abc\n\r"] {
        let mut it = Between::new().await;
        let mut sandbox = it.ask(GET).await;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\
            Transfer-Encoding: chunked\r\n\r\n5\r\nx: y\n\r\n";
        sandbox.send(format!("{head}{before}")).await.unwrap();
        it.client.read_head().await.unwrap();
        it.client.read_until("x: y\n").await.unwrap();
        it.gateway.drain_deadline.cancel();
        it.client.read_until("\r\n0\r\n\r\n").await.unwrap();
        it.gateway.unclaimed().await;
        it.goes_on().await;
    }
}

#[tokio::test]
async fn an_event_stream_up_to_the_connections_end_ends_cleanly_too() {
    let mut it = Between::new().await;
    let mut sandbox = it.ask(GET).await;
    let head = "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
    sandbox.send(head).await.unwrap();
    it.client.read_until("data: 1\n\n\r\n").await.unwrap();
    it.gateway.drain_deadline.cancel();
    assert_eq!(
        it.client.read_until("0\r\n\r\n").await.unwrap(),
        "0\r\n\r\n"
    );
    it.gateway.unclaimed().await;
    it.goes_on().await;
}
