//! Sockets that systemd listens on, and reloads that it asks for.

use crate::common::builder;
use crate::site::{get, get_over_http2};
use rustix::process::Signal;
use rustls::ClientConfig;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use testkit::activation::{self, heard};
use testkit::process::Process;
use testkit::raw::{self, Raw, status};
use testkit::tls::{self, Authority, CERT_FILE, KEY_FILE, Kind};
use testkit::visitors::{Visitor, survive_restarts};
use tokio::net::UnixDatagram;

const BIN: &str = env!("CARGO_BIN_EXE_hypervisor");

struct Host {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new().unwrap();
        let certificate = authority.issue(Kind::Ecdsa).unwrap();
        certificate.write(folder.path()).unwrap();
        Self { folder, authority }
    }

    fn serve(&self, mut command: Command) -> Command {
        command
            .arg("serve")
            .current_dir(self.folder.path())
            .env_clear()
            .env("HYPERVISOR_SERVER_LISTEN", "127.0.0.1:1")
            .env("HYPERVISOR_TLS_CERT", self.folder.path().join(CERT_FILE))
            .env("HYPERVISOR_TLS_KEY", self.folder.path().join(KEY_FILE))
            .env(
                "HYPERVISOR_STORE_PATH",
                self.folder.path().join("hypervisor.db"),
            );
        command
    }

    /// Starts it with two sockets of these names.
    fn start(&self, names: &str, sockets: (&dyn AsFd, &dyn AsFd)) -> Process {
        let command = |command| self.serve(command);
        activation::spawn_with_two(command, Path::new(BIN), names, sockets).unwrap()
    }
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn over_tls(address: SocketAddr, config: Arc<ClientConfig>) {
    let stream = tls::connect(address, "localhost", config).await.unwrap();
    let mut raw = Raw::on(stream);
    raw.send(get("localhost", "/health", "Connection: close\r\n"))
        .await
        .unwrap();
    let said = raw.read_to_end().await.unwrap();
    assert_eq!(status(&said.bytes), Some(200));
    assert!(said.clean);
}

async fn over_http2(address: SocketAddr, mut config: ClientConfig) {
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = tls::connect(address, "localhost", Arc::new(config))
        .await
        .unwrap();
    let (parts, _) = get_over_http2(stream, "localhost", "/health", "").await;
    assert_eq!(parts.status, 200);
}

async fn over_plain(address: SocketAddr) {
    let said = raw::exchange(address, get("localhost", "/x", ""))
        .await
        .unwrap();
    assert_eq!(status(&said.bytes), Some(308));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_refuses_no_connection_and_no_handshake() {
    let host = Host::new();
    let ((https, address), (plain, redirect)) = (listener(), listener());
    let start = || host.start("https:http-redirect", (&https, &plain));
    let (fresh, http2) = (host.authority.trusted(), host.authority.trusted());
    let resuming = Arc::new(host.authority.trusted());
    let visitors = vec![
        // Whole handshakes, and those that would take a session up again, which is forgotten then.
        Visitor::new(move || over_tls(address, Arc::new(fresh.clone()))),
        Visitor::new(move || over_tls(address, resuming.clone())),
        Visitor::new(move || over_http2(address, http2.clone())),
        Visitor::new(move || over_plain(redirect)),
    ];
    survive_restarts(start, visitors).await.unwrap();
}

#[tokio::test]
async fn each_socket_speaks_what_its_name_says() {
    let host = Host::new();
    let ((https, address), (plain, proxied)) = (listener(), listener());
    let _gateway = host.start("https:http", (&https, &plain));
    over_tls(address, Arc::new(host.authority.trusted())).await;
    let request = get("localhost", "/health", "Connection: close\r\n");
    let said = raw::exchange(proxied, request).await.unwrap();
    assert_eq!(status(&said.bytes), Some(200));
    let head = String::from_utf8(said.bytes).unwrap();
    assert!(!head.to_lowercase().contains("strict-transport-security"));
}

#[tokio::test]
async fn the_only_socket_stands_for_the_one_of_the_config_and_speaks_tls() {
    let host = Host::new();
    let (socket, address) = listener();
    let command = host.serve(activation::command(
        Path::new(BIN),
        "choiros-hypervisor.socket",
    ));
    let _gateway = Process::spawn_with(command, activation::stdin(&socket).unwrap()).unwrap();
    over_tls(address, Arc::new(host.authority.trusted())).await;
}

#[tokio::test]
async fn a_socket_that_would_speak_something_else_than_meant_is_refused() {
    let host = Host::new();
    let ((one, _), (other, _)) = (listener(), listener());
    let unix = UnixListener::bind(host.folder.path().join("x.sock")).unwrap();
    for (names, socket, certificate, hint) in [
        (
            "http:https",
            &other as &dyn AsFd,
            false,
            "set tls.cert and tls.key",
        ),
        (
            "http:http-redirect",
            &other,
            false,
            "set tls.cert and tls.key",
        ),
        ("http:http", &other, true, "FileDescriptorName=https"),
        ("https:https", &unix, true, "FileDescriptorName=http"),
        ("https:metrics", &other, true, "FileDescriptorName"),
    ] {
        let command = |command| {
            let mut command = host.serve(command);
            if !certificate {
                command
                    .env_remove("HYPERVISOR_TLS_CERT")
                    .env_remove("HYPERVISOR_TLS_KEY");
            }
            command
        };
        let sockets: (&dyn AsFd, _) = (&one, socket);
        let gateway = activation::spawn_with_two(command, Path::new(BIN), names, sockets);
        let mut gateway = gateway.unwrap();
        assert!(!gateway.wait_exit().await.unwrap().success(), "{names}");
        let said = gateway.stderr();
        assert!(said.contains(hint), "{names}: {said}");
    }
}

#[tokio::test]
async fn systemd_hears_when_a_reload_begins_and_that_it_is_done_with_or_without_tls() {
    let authority = Authority::new().unwrap();
    for certificate in [None, Some(authority.issue(Kind::Ecdsa).unwrap())] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let mut builder = builder().env("NOTIFY_SOCKET", path.to_str().unwrap());
        if let Some(certificate) = certificate {
            builder = builder.tls(&authority, certificate);
        }
        let mut gateway = builder.spawn().unwrap();
        assert_eq!(heard(&socket).await.unwrap(), "READY=1\n");
        for _ in 0..2 {
            gateway.process().signal(Signal::HUP).unwrap();
            let begun = heard(&socket).await.unwrap();
            let moment = begun.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            assert!(moment.trim_end().parse::<u64>().unwrap() > 0, "{begun}");
            assert_eq!(heard(&socket).await.unwrap(), "READY=1\n");
        }
        gateway.sigterm().unwrap();
        assert_eq!(heard(&socket).await.unwrap(), "STOPPING=1\n");
        assert!(gateway.wait_exit().await.unwrap().success());
    }
}

#[tokio::test]
async fn a_terminal_that_is_closed_ends_it_where_there_is_nothing_to_reload() {
    let mut gateway = builder().start().await.unwrap();
    gateway.process().signal(Signal::HUP).unwrap();
    assert!(gateway.wait_exit().await.unwrap().success());
}
