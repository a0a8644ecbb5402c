//! What the program and the service manager that runs it tell each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::builder;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::activation::{self, heard};
use testkit::client::Client;
use testkit::process::Process;
use testkit::raw::{Raw, status};
use testkit::visitors::{Visitor, survive_restarts};
use tokio::net::UnixDatagram;

const BIN: &str = env!("CARGO_BIN_EXE_hypervisor");

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
    assert_eq!(heard(&socket).await.unwrap(), "READY=1\n");
    let health = gateway.client().get("/health").await.unwrap();
    assert_eq!(health.status, 200);
    for _ in 0..3 {
        assert_eq!(heard(&socket).await.unwrap(), "WATCHDOG=1\n");
    }
    gateway.sigterm().unwrap();
    while heard(&socket).await.unwrap() != "STOPPING=1\n" {}
    assert!(gateway.wait_exit().await.unwrap().success());
}

/// The call of a program for which systemd listens at `listener`.
fn serve(folder: &Path, listener: &TcpListener, mut command: Command) -> Command {
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
    command
}

/// Starts the program as systemd does that listens on its behalf.
fn activated(folder: &Path, listener: &TcpListener, names: &str) -> Process {
    let command = serve(folder, listener, activation::command(Path::new(BIN), names));
    Process::spawn_with(command, activation::stdin(listener).unwrap()).unwrap()
}

/// The same with another socket beside the listener.
fn activated_with(folder: &Path, listener: &TcpListener, other: &dyn AsFd, names: &str) -> Process {
    let command = |command| serve(folder, listener, command);
    let sockets: (&dyn AsFd, _) = (listener, other);
    activation::spawn_with_two(command, Path::new(BIN), names, sockets).unwrap()
}

async fn visit_tcp(port: u16) {
    let client = Client::new(&format!("http://localhost:{port}"));
    let health = client.get("/health").await.expect("no refusal");
    assert_eq!(health.status.as_u16(), 200);
}

async fn visit_unix(path: PathBuf) {
    let mut raw = Raw::connect_unix(&path).await.expect("no refusal");
    let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    raw.send(request).await.expect("no refusal");
    let said = raw.read_to_end().await.expect("no refusal");
    assert_eq!(status(said.bytes), Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_refuses_no_connection_to_any_socket_that_systemd_listens_on() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let path = folder.path().join("http.sock");
    let unix = UnixListener::bind(&path).unwrap();
    let start = || activated_with(folder.path(), &listener, &unix, "http:http");
    let visitors = vec![
        Visitor::new(move || visit_tcp(port)),
        Visitor::new(move || visit_unix(path.clone())),
    ];
    survive_restarts(start, visitors).await.unwrap();
}

#[tokio::test]
async fn one_socket_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _gateway = activated(folder.path(), &listener, "choiros-hypervisor.socket");
    let port = listener.local_addr().unwrap().port();
    visit_tcp(port).await;
}

#[tokio::test]
async fn a_socket_that_cannot_be_served_is_refused_and_not_left_hanging() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let another = TcpListener::bind("127.0.0.1:0").unwrap();
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (connected, _far) = std::os::unix::net::UnixStream::pair().unwrap();
    let file = tempfile::tempfile().unwrap();
    for (socket, names, hint) in [
        (&another as &dyn AsFd, "http:metrics", "FileDescriptorName"),
        (
            &another,
            "choiros-hypervisor.socket:http",
            "FileDescriptorName",
        ),
        (&datagrams, "http:http", "ListenStream"),
        (&connected, "http:http", "Accept=no"),
        (&file, "http:http", "cannot be served"),
    ] {
        let mut gateway = activated_with(folder.path(), &listener, socket, names);
        assert!(!gateway.wait_exit().await.unwrap().success());
        let said = gateway.stderr();
        assert!(said.contains(hint), "{names}: {said}");
    }
}

#[tokio::test]
async fn a_proxy_socket_that_is_systemds_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = folder.path().join("http.sock");
    let unix = UnixListener::bind(&path).unwrap();
    let command = |command| {
        let mut command = serve(folder.path(), &listener, command);
        command.env("HYPERVISOR_SERVER_PROXY_SOCKET", &path);
        command
    };
    let sockets: (&dyn AsFd, &dyn AsFd) = (&listener, &unix);
    let _gateway =
        activation::spawn_with_two(command, Path::new(BIN), "http:http", sockets).unwrap();
    visit_unix(path.clone()).await;
}
