//! So many requests at once, and one more is refused at once, whoever they are of and however
//! slow they are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::builder;
use futures_util::SinkExt as _;
use http::Method;
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::client::Response;
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::raw::Raw;
use testkit::upstream::Upstream;
use testkit::wait::{eventually, until};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

/// Two people in one workspace, whose sandboxes misbehave on demand.
struct House {
    gateway: Hypervisor,
    live: Upstream,
    dev: Upstream,
    alice: Person,
    bob: Person,
}

impl House {
    /// With these keys of `[proxy]`.
    async fn with(caps: &str) -> Self {
        let (live, dev) = (
            Upstream::start().await.unwrap(),
            Upstream::start().await.unwrap(),
        );
        let mut config = format!(
            "[proxy]\n{caps}\n[runtime]\nkind = \"adopt\"\n\
             [workspaces.sandbox]\nmembers = [\"alice\", \"bob\"]\n"
        );
        for (role, side) in [("live", &live), ("dev", &dev)] {
            let address = side.address();
            let _ = write!(
                config,
                "[workspaces.sandbox.{role}]\naddress = \"{address}\"\nidentity = false\n"
            );
        }
        let gateway = builder()
            .config(&config)
            .env("HYPERVISOR_SERVER_HEADER_READ_SECS", "600")
            .start()
            .await
            .unwrap();
        Self {
            alice: Person::register(&gateway, "alice").await.unwrap(),
            bob: Person::register(&gateway, "bob").await.unwrap(),
            gateway,
            live,
            dev,
        }
    }

    /// A request without a response, which is in its sandbox when this returns.
    async fn hold(&self, person: &Person, path: &str) -> Raw {
        let side = if path.starts_with("/dev") {
            &self.dev
        } else {
            &self.live
        };
        let before = side.seen("/hang");
        let mut raw = Raw::connect(self.gateway.address()).await.unwrap();
        raw.send(self.head(person, path)).await.unwrap();
        until("the request is in", || side.seen("/hang") > before).await;
        raw
    }

    fn head(&self, person: &Person, path: &str) -> String {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost:{}\r\nCookie: {}\r\n\r\n",
            self.gateway.port(),
            person.cookie()
        )
    }

    /// Waits until nobody has a place, then asks for one more: with a cap of one, it was given
    /// back.
    async fn all_places_are_back(&self, after: &str) {
        places(&self.gateway, 0).await;
        let response = self.alice.client.get("/").await.unwrap();
        assert_eq!(response.status, 200, "after {after}: {}", response.text());
    }
}

/// Waits until so many requests have a place.
async fn places(gateway: &Hypervisor, count: usize) {
    let line = format!("choiros_requests {count}");
    eventually(&line, async || {
        let metrics = gateway.client().get("/metrics").await.ok()?.text();
        metrics.lines().any(|it| it == line).then_some(())
    })
    .await
    .unwrap();
}

/// The code of a refusal, which has all that belongs to one.
fn refusal(response: &Response) -> String {
    assert_eq!(response.status, 503, "{}", response.text());
    assert_eq!(response.header("retry-after"), Some("1"));
    let said: Value = response.json().unwrap();
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("raise proxy.max_requests"), "{message}");
    said["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_at_the_cap_is_refused_and_another_is_not() {
    let house = House::with("max_requests_per_user = 2").await;
    let _both = (
        house.hold(&house.alice, "/hang").await,
        house.hold(&house.alice, "/dev/hang").await,
    );
    for path in ["/more", "/dev/more"] {
        let response = house.alice.client.get(path).await.unwrap();
        assert_eq!(refusal(&response), "user_busy");
    }
    let page = house.alice.client.navigate("/more").await.unwrap();
    assert_eq!(page.status, 503);
    let text = page.text();
    assert!(text.contains("proxy.max_requests_per_user"), "{text}");
    assert!(text.contains("Close some of your pages"), "{text}");
    assert!(house.alice.client.websocket("/ws").await.is_err());
    assert_eq!(house.bob.client.get("/more").await.unwrap().status, 200);
    assert_eq!(house.live.seen("/more"), 1, "a refused request went on");
    assert_eq!(house.dev.seen("/more"), 0, "a refused request went on");
    // What is ours has no cap: whoever is refused may still look why.
    let mine = house.alice.client.get("/admin/sandboxes").await.unwrap();
    assert_eq!(mine.status, 200);
    let metrics = house.alice.client.get("/metrics").await.unwrap().text();
    for line in [
        "choiros_requests 2",
        "choiros_refused_total{cap=\"user\"} 4",
        "choiros_refused_total{cap=\"sandbox\"} 0",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_sandbox_at_the_cap_is_refused_to_everyone_whatever_its_role() {
    let house = House::with("max_requests_per_sandbox = 2").await;
    let _both = (
        house.hold(&house.alice, "/hang").await,
        house.hold(&house.bob, "/hang").await,
    );
    for person in [&house.alice, &house.bob] {
        let response = person.client.get("/more").await.unwrap();
        assert_eq!(refusal(&response), "sandbox_busy");
        assert_eq!(person.client.get("/dev/more").await.unwrap().status, 200);
    }
    let swapped = house.alice.swap(json!({})).await;
    assert_eq!(swapped.unwrap().status, 200);
    let response = house.alice.client.get("/dev/more").await.unwrap();
    assert_eq!(
        refusal(&response),
        "sandbox_busy",
        "the swap emptied nothing"
    );
    assert_eq!(house.alice.client.get("/more").await.unwrap().status, 200);
    assert_eq!(house.live.seen("/more"), 0, "a refused request went on");
}

#[tokio::test]
async fn a_full_server_refuses_everyone_and_starts_nothing_for_them() {
    let gateway = builder()
        .env("HYPERVISOR_PROXY_MAX_REQUESTS", "1")
        .start()
        .await
        .unwrap();
    let alice = Person::register(&gateway, "alice").await.unwrap();
    let bob = Person::register(&gateway, "bob").await.unwrap();
    let bobs = async || -> Value {
        let rows = bob.client.get("/admin/sandboxes").await.unwrap();
        let rows: Vec<Value> = rows.json().unwrap();
        let live = rows.iter().find(|row| row["role"] == "live");
        live.unwrap()["status"].clone()
    };
    assert_eq!(bobs().await, "stopped");
    let stream = alice.client.events("/logs/events", None).await.unwrap();
    for person in [&alice, &bob] {
        let response = person.client.get("/logs/events").await.unwrap();
        assert_eq!(refusal(&response), "server_busy");
    }
    assert_eq!(bobs().await, "stopped", "a refused request started it");
    drop(stream);
    places(&gateway, 0).await;
    assert_eq!(bob.client.get("/logs/events").await.unwrap().status, 200);
}

#[tokio::test]
async fn places_come_back_however_a_request_ends() {
    let house = House::with("max_requests_per_user = 1\nmax_body_bytes = 100").await;
    let (alice, sandbox) = (&house.alice.client, house.live.address());
    for (path, status) in [("/x", 200), ("/refuse", 413), ("/die", 502)] {
        assert_eq!(alice.get(path).await.unwrap().status, status, "{path}");
        house.all_places_are_back(path).await;
    }
    assert!(alice.get("/die/mid-body").await.is_err());
    house.all_places_are_back("a broken answer").await;
    let upload = alice.request(Method::POST, "/sink").body(vec![7; 200]);
    assert_eq!(upload.send().await.unwrap().status, 413);
    house.all_places_are_back("a body that is too large").await;

    drop(house.hold(&house.alice, "/hang").await);
    house.all_places_are_back("a cut before the answer").await;
    let mut raw = Raw::connect(house.gateway.address()).await.unwrap();
    let endless = house.head(&house.alice, "/source/1000000000000");
    raw.send(endless).await.unwrap();
    raw.read_head().await.unwrap();
    drop(raw);
    house.all_places_are_back("a cut within the answer").await;

    let mut socket = alice.websocket("/ws").await.unwrap();
    assert_eq!(refusal(&alice.get("/").await.unwrap()), "user_busy");
    socket.close(None).await.unwrap();
    while futures_util::StreamExt::next(&mut socket).await.is_some() {}
    house.all_places_are_back("a closed WebSocket").await;
    let mut socket = alice.websocket("/ws").await.unwrap();
    socket.flush().await.unwrap();
    drop(socket);
    house.all_places_are_back("a cut WebSocket").await;
    assert!(alice.websocket("/ws/refuse").await.is_err());
    house.all_places_are_back("a refused WebSocket").await;

    drop(house.live);
    eventually("no answer", async || {
        let response = alice.get("/x").await.unwrap();
        assert_ne!(response.json::<Value>().unwrap()["error"], "user_busy");
        matches!(response.status.as_u16(), 502 | 503).then_some(())
    })
    .await
    .unwrap();
    places(&house.gateway, 0).await;
    let _again = Upstream::start_at(sandbox).await.unwrap();
    eventually("an answer", async || {
        let response = alice.get("/x").await.unwrap();
        (response.status == 200).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn those_that_wait_for_a_start_have_places_and_no_more_wait() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let sandbox = std::path::Path::new(env!("CARGO_BIN_EXE_hypervisor")).with_file_name("sandbox");
    let script = format!(
        "until [ -e {} ]; do sleep 0.02; done; exec {}",
        go.display(),
        sandbox.display()
    );
    let gateway = builder()
        .env(
            "HYPERVISOR_RUNTIME_COMMAND",
            &json!(["/bin/sh", "-c", script]).to_string(),
        )
        .env("HYPERVISOR_PROXY_MAX_REQUESTS_PER_USER", "3")
        .env("PATH", "/usr/bin:/bin")
        .start()
        .await
        .unwrap();
    let alice = Person::register(&gateway, "alice").await.unwrap();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let client = alice.client.clone();
            tokio::spawn(async move { client.get("/logs/events").await.unwrap() })
        })
        .collect();
    places(&gateway, 3).await;
    let response = alice.client.get("/logs/events").await.unwrap();
    assert_eq!(refusal(&response), "user_busy");
    std::fs::write(go, "").unwrap();
    for request in waiting {
        let response = request.await.unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
    }
    places(&gateway, 0).await;
}

#[tokio::test]
async fn a_connection_above_the_limit_reads_that_there_is_no_place() {
    const PLACES: usize = 4;
    const CLIENTS: usize = 20;
    let gateway = builder()
        .env("HYPERVISOR_SERVER_MAX_CONNECTIONS", &PLACES.to_string())
        .start()
        .await
        .unwrap();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let mut raw = Raw::connect(gateway.address()).await.unwrap();
        // Without its end, so that who has a place keeps it.
        let head = "GET /health HTTP/1.1\r\nHost: localhost\r\n";
        raw.send(head).await.unwrap();
        clients.spawn(raw.read_to_end());
    }
    for _ in 0..CLIENTS - PLACES {
        let ending = clients.join_next().await.unwrap().unwrap().unwrap();
        assert!(ending.clean, "it could not read why");
        let said = String::from_utf8(ending.bytes).unwrap();
        assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
        assert!(said.contains("\r\nRetry-After: 1\r\n"), "{said}");
    }
    clients.shutdown().await;
    eventually("a place", async || {
        let response = gateway.client().get("/health").await.ok()?;
        (response.status == 200).then_some(())
    })
    .await
    .unwrap();
}

/// The most memory that a process ever had, in MiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_clients_cost_others_nothing_and_little_memory() {
    const SLOW_HEADS: usize = 1000;
    const SLOW_READERS: usize = 200;
    // Of an unoptimised program, whose code alone takes a tenth.
    const CEILING_MIB: u64 = 192;
    testkit::open_files::allow_all().unwrap();
    let house = House::with("").await;
    let mut slow = Vec::new();
    for _ in 0..SLOW_HEADS {
        let mut raw = Raw::connect(house.gateway.address()).await.unwrap();
        raw.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
            .await
            .unwrap();
        slow.push(raw);
    }
    let mut readers = Vec::new();
    for _ in 0..SLOW_READERS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(house.gateway.address()).await.unwrap();
        let head = house.head(&house.bob, "/source/4000000");
        stream.try_write(head.as_bytes()).unwrap();
        readers.push(stream);
    }
    places(&house.gateway, SLOW_READERS).await;
    for _ in 0..200 {
        assert_eq!(house.alice.client.get("/x").await.unwrap().status, 200);
    }
    places(&house.gateway, SLOW_READERS).await;
    let peak = peak(house.gateway.pid());
    assert!(peak < CEILING_MIB, "{peak} MiB");
    drop(slow);
    drop(readers);
    places(&house.gateway, 0).await;
}
