//! What depends on when something comes, or does not.

use crate::h2::Client;
use crate::nothing_wrong;
use crate::sandbox::Script;
use crate::site::Site;
use crate::wire::{DEADLINE, Wire};
use futures_util::future::{join, join_all};
use http::Request;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use testkit::wait::until;

/// When the sandbox closes a connection on which nothing comes.
const IDLE: Duration = Duration::from_secs(1);
const CLIENTS: u32 = 100;
const ROUNDS: u32 = 8;
const OK: &str = "HTTP/1.1 200 OK";

/// One client, whose requests come about when the sandbox closes; the statuses that it got.
fn post_around(site: &Site, client: u32) -> Vec<String> {
    let body = match client % 2 {
        0 => "Content-Length: 2\r\n\r\nhi",
        _ => "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    };
    let request = site.head("POST /post") + "Accept: application/json\r\n" + body;
    let connect = || {
        let stream = TcpStream::connect(site.gateway.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    };
    let mut stream = connect();
    let mut statuses = Vec::new();
    for round in 0..=ROUNDS {
        let status = post(&mut stream, request.as_bytes());
        let answered = Instant::now();
        if status != OK {
            stream = connect();
        }
        statuses.push(status);
        // From a millisecond before to three after, by 10 µs: its timer is late by up to one.
        let offset = Duration::from_micros(u64::from((client * ROUNDS + round) % 400 * 10));
        let next = Duration::from_millis(999) + offset;
        std::thread::sleep(next.saturating_sub(answered.elapsed()));
    }
    statuses
}

/// The first line of the response.
fn post(stream: &mut TcpStream, request: &[u8]) -> String {
    let mut response = Vec::new();
    let mut some = [0; 4096];
    if let Err(error) = stream.write_all(request) {
        return error.to_string();
    }
    while !response.ends_with(b"\r\n\r\nplain") && !response.ends_with(b"}") {
        match stream.read(&mut some) {
            Ok(0) => return "closed".into(),
            Ok(count) => response.extend_from_slice(&some[..count]),
            Err(error) => return error.to_string(),
        }
    }
    let text = String::from_utf8_lossy(&response);
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_meets_the_end_of_an_idle_connection_is_neither_lost_nor_sent_twice() {
    let site = Site::with("", Some(IDLE), |builder| builder).await;
    let statuses = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let site = &site;
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| scope.spawn(move || post_around(site, client)))
                .collect();
            let join = |client: std::thread::ScopedJoinHandle<'_, _>| client.join().unwrap();
            clients.into_iter().flat_map(join).collect::<Vec<_>>()
        })
    });
    let failed: Vec<_> = statuses.into_iter().filter(|it| it != OK).collect();
    nothing_wrong(&failed);
    let asked = (CLIENTS * (ROUNDS + 1)) as usize;
    assert_eq!(
        site.sandbox.seen("/post").len(),
        asked,
        "some were sent twice"
    );
}

/// Event streams that say one thing, and another later.
const STREAMS: &[(&str, &str, &str)] = &[
    (
        "/chunked",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
         9\r\ndata: 1\n\n\r\n",
        "9\r\ndata: 2\n\n\r\n0\r\n\r\n",
    ),
    (
        "/charset",
        "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n\
         Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n",
        "9\r\ndata: 2\n\n\r\n0\r\n\r\n",
    ),
    (
        "/to-the-end",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: 1\n\n",
        "data: 2\n\n",
    ),
    (
        "/silent-from-the-start",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        "12\r\ndata: 1\n\ndata: 2\n\n\r\n0\r\n\r\n",
    ),
];

/// Bodies that stop, and are given up.
const SILENT: &[(&str, &str)] = &[
    (
        "/length",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nbody",
    ),
    (
        "/chunks",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n",
    ),
    (
        "/no-chunk",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    (
        "/no-length",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody",
    ),
    (
        "/looks-like-events",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
];

#[tokio::test]
async fn a_silent_event_stream_outlives_a_silent_body_which_is_visibly_cut() {
    let config = "[proxy]\nbody_idle_secs = 1";
    let site = Site::with(config, None, |builder| builder).await;
    for (path, now, later) in STREAMS {
        let close = !now.contains("chunked");
        let script = Script {
            close,
            ..Script::new(now).later(later.as_bytes())
        };
        site.sandbox.script(path, script);
    }
    for (path, now) in SILENT {
        // It would go on, had it not been given up.
        site.sandbox.script(path, Script::new(now).later(b"never"));
    }
    let client = Client::connect(site.gateway.address()).await;
    let by_http2 = |path: &str| {
        let request = Request::get(format!("http://{}{path}", site.host))
            .header("cookie", &site.cookie)
            .body(());
        let client = client.clone();
        async move { client.ask(request.unwrap(), None, None).await }
    };
    let streams = STREAMS.iter().map(async |(path, ..)| {
        let mut wire: Wire = site.connect().await;
        wire.send(site.head(&format!("GET {path}")) + "\r\n").await;
        join(wire.reply(false), by_http2(path)).await
    });
    let streams = join_all(streams);
    let silent = async {
        until("the streams are there", || {
            STREAMS
                .iter()
                .all(|(path, ..)| site.sandbox.seen(path).len() == 2)
        })
        .await;
        // In turn, each for as long as a stream would have had.
        for _ in 0..2 {
            let cut = SILENT.iter().map(async |(path, _)| {
                let request = site.head(&format!("GET {path}")) + "\r\n";
                let (one, other) = join(site.ask(request), by_http2(path)).await;
                for reply in [one, other] {
                    assert!(!reply.content.whole, "{path}: whole");
                    assert_ne!(reply.why, "silence", "{path}: not cut");
                }
            });
            join_all(cut).await;
        }
        site.sandbox.go_on();
    };
    let (streams, ()) = join(streams, silent).await;
    let mut wrongs = Vec::new();
    for ((path, ..), (one, other)) in STREAMS.iter().zip(streams) {
        for (reply, how) in [(one, "HTTP/1"), (other, "HTTP/2")] {
            if reply.text() != "data: 1\n\ndata: 2\n\n" || !reply.content.whole {
                wrongs.push(format!("{path} by {how}: {:?} {}", reply.text(), reply.why));
            }
        }
    }
    nothing_wrong(&wrongs);
}
