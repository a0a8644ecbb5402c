//! Requests that must not be sent twice, and sandboxes that close connections.

use crate::gateway::Gateway;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::raw::{Raw, status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";

/// A sandbox that closes connections once they were idle for so long, and counts them.
struct Closing {
    listener: TcpListener,
    after: Duration,
    accepted: Arc<AtomicUsize>,
}

impl Closing {
    async fn new(after: Duration) -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            after,
            accepted: Arc::default(),
        }
    }

    /// Serves for ever.
    async fn serve(self) {
        while let Ok((stream, _)) = self.listener.accept().await {
            self.accepted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(respond(stream, self.after));
        }
    }
}

async fn respond(mut stream: TcpStream, after: Duration) {
    stream.set_nodelay(true).unwrap();
    let mut request = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        match timeout(after, stream.read(&mut bytes)).await {
            Ok(Ok(count)) if count > 0 => request.extend_from_slice(&bytes[..count]),
            _ => return,
        }
        if request.ends_with(b"\r\n\r\nx") {
            request.clear();
            let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            if stream.write_all(response).await.is_err() {
                return;
            }
        }
    }
}

/// How many of these POSTs, each sent around the moment at which its connection is closed, failed.
async fn around_the_end(after: Duration, connections: usize, rounds: usize) -> usize {
    let closing = Closing::new(after).await;
    let gateway = Gateway::before(closing.listener.local_addr().unwrap()).await;
    let serving = tokio::spawn(closing.serve());
    // A millisecond before it, up to one after.
    let begin = after.saturating_sub(Duration::from_millis(1));
    let offsets = (0..=20).map(|tenths| begin + Duration::from_micros(100) * tenths);
    let clients = offsets.cycle().take(connections).map(|pause| {
        let address = gateway.address;
        tokio::spawn(async move {
            let mut client = Raw::connect(address).await.unwrap();
            for _ in 0..rounds {
                client.send(POST).await.unwrap();
                if status(client.read_head().await.unwrap()) != Some(200) {
                    return 1;
                }
                client.read_until("ok").await.unwrap();
                sleep(pause).await;
            }
            0
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut failed = 0;
    for client in clients {
        failed += client.await.unwrap();
    }
    serving.abort();
    failed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_never_meets_a_connection_that_is_being_closed() {
    assert_eq!(around_the_end(Duration::from_secs(1), 100, 5).await, 0);
}

#[tokio::test]
async fn posts_in_close_order_take_the_same_connection() {
    let closing = Closing::new(Duration::from_mins(1)).await;
    let gateway = Gateway::before(closing.listener.local_addr().unwrap()).await;
    let accepted = closing.accepted.clone();
    let serving = tokio::spawn(closing.serve());
    let mut client = Raw::connect(gateway.address).await.unwrap();
    for _ in 0..50 {
        client.send(POST).await.unwrap();
        client.read_until("ok").await.unwrap();
        sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    serving.abort();
}

#[tokio::test]
async fn a_post_takes_no_connection_that_was_closed_or_spoke_a_moment_ago() {
    for farewell in [
        "",
        "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::before(listener.local_addr().unwrap()).await;
        let mut client = Raw::connect(gateway.address).await.unwrap();
        for _ in 0..100 {
            client.send(POST).await.unwrap();
            let mut sandbox = Raw::accept(&listener).await.unwrap();
            sandbox.read_until("\r\n\r\nx").await.unwrap();
            let response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            sandbox.send(format!("{response}{farewell}")).await.unwrap();
            drop(sandbox);
            let response = client.read_until("ok").await.unwrap();
            assert_eq!(status(&response), Some(200), "{response}");
        }
    }
}

#[tokio::test]
async fn what_waited_long_is_for_requests_that_may_be_repeated() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (announced, second, same) in [
        ("", POST, false),
        ("", get, true),
        ("Keep-Alive: timeout=1\r\n", POST, false),
        ("Keep-Alive: timeout=9\r\n", POST, true),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::before(listener.local_addr().unwrap()).await;
        let mut client = Raw::connect(gateway.address).await.unwrap();
        client.send(POST).await.unwrap();
        let mut first = Raw::accept(&listener).await.unwrap();
        first.read_until("\r\n\r\nx").await.unwrap();
        let response = format!("HTTP/1.1 200 OK\r\n{announced}Content-Length: 2\r\n\r\nok");
        first.send(response).await.unwrap();
        client.read_until("ok").await.unwrap();
        sleep(Duration::from_millis(700)).await;
        client.send(second).await.unwrap();
        if same {
            first.read_head().await.unwrap();
        } else {
            let mut other = Raw::accept(&listener).await.unwrap();
            other.read_head().await.unwrap();
        }
    }
}
