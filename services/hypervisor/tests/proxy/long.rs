//! Answers that take many reads and writes.

use crate::gateway::Gateway;
use testkit::raw::{Raw, exchange};
use testkit::upstream::Upstream;
use testkit::upstream::pattern::Tally;
use tokio::net::TcpListener;

fn body(response: &[u8]) -> &[u8] {
    let head = response.windows(4).position(|four| four == b"\r\n\r\n");
    &response[head.unwrap() + 4..]
}

#[tokio::test]
async fn what_a_client_left_of_a_long_response_is_nobody_elses() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    for _ in 0..20 {
        let mut leaver = Raw::connect(gateway.address).await.unwrap();
        let long = "GET /source/50000000 HTTP/1.1\r\nHost: a\r\n\r\n";
        leaver.send(long).await.unwrap();
        leaver.read_head().await.unwrap();
        drop(leaver);
        let next = "GET /source/500000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let response = exchange(gateway.address, next).await.unwrap();
        let mut tally = Tally::default();
        tally.add(body(&response.bytes));
        assert_eq!(tally, Tally::of(500_000));
    }
    gateway.unclaimed().await;
}

#[tokio::test]
async fn a_long_response_that_breaks_off_ends_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::before(listener.local_addr().unwrap()).await;
    let sandbox = async {
        let mut sandbox = Raw::accept(&listener).await.unwrap();
        sandbox.read_head().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        sandbox.send(head).await.unwrap();
        sandbox.send(vec![b'x'; 600_000]).await.unwrap();
    };
    let client = exchange(gateway.address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let ((), response) = tokio::join!(sandbox, client);
    // All that came, and no more, and no response of ours behind it.
    assert_eq!(body(&response.unwrap().bytes), vec![b'x'; 600_000]);
    gateway.unclaimed().await;
}
