//! What the program and the service manager that runs it tell each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::builder;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::activation;
use testkit::client::Client;
use testkit::process::Process;
use testkit::wait::{DEADLINE, eventually};
use tokio::net::UnixDatagram;
use tokio::time::timeout;

const BIN: &str = env!("CARGO_BIN_EXE_hypervisor");

async fn heard(socket: &UnixDatagram) -> String {
    let mut message = [0; 256];
    let received = timeout(DEADLINE, socket.recv(&mut message)).await;
    let length = received.expect("a notification in time").unwrap();
    String::from_utf8(message[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn systemd_hears_that_it_serves_that_it_lives_and_that_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut gateway = builder()
        .env("NOTIFY_SOCKET", path.to_str().unwrap())
        .env("WATCHDOG_USEC", "300000")
        .spawn()
        .unwrap();
    assert_eq!(heard(&socket).await, "READY=1\n");
    let health = gateway.client().get("/health").await.unwrap();
    assert_eq!(health.status, 200);
    for _ in 0..3 {
        assert_eq!(heard(&socket).await, "WATCHDOG=1\n");
    }
    gateway.sigterm().unwrap();
    while heard(&socket).await != "STOPPING=1\n" {}
    assert!(gateway.wait_exit().await.unwrap().success());
}

/// Starts the program as systemd does that listens on its behalf.
fn activated(folder: &Path, listener: &TcpListener, names: &str) -> Process {
    let mut command = activation::command(Path::new(BIN), names);
    command
        .arg("serve")
        .current_dir(folder)
        .env_clear()
        // Taken, so that a listener of its own would fail.
        .env(
            "HYPERVISOR_SERVER_LISTEN",
            listener.local_addr().unwrap().to_string(),
        )
        .env("HYPERVISOR_STORE_PATH", folder.join("hypervisor.db"));
    Process::spawn_with(command, activation::stdin(listener).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_refuses_no_connection_that_systemd_listens_for() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut gateway = activated(folder.path(), &listener, "hypervisor.socket");
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = visits.clone();
    let visitor = tokio::spawn(async move {
        loop {
            // A client of its own makes a connection of its own.
            let client = Client::new(&format!("http://localhost:{port}"));
            let health = client.get("/health").await.expect("no refusal");
            assert_eq!(health.status, 200);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    for _ in 0..3 {
        let before = visits.load(Ordering::Relaxed);
        let visited = async || (visits.load(Ordering::Relaxed) > before + 1).then_some(());
        eventually("visits", visited).await.unwrap();
        gateway.sigterm().unwrap();
        assert!(gateway.wait_exit().await.unwrap().success());
        gateway = activated(folder.path(), &listener, "http");
    }
    assert!(!visitor.is_finished(), "{:?}", visitor.await);
    visitor.abort();
}
