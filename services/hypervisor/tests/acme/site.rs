//! A gateway whose hosts are `choir.test`, `www.choir.test` and those of its sandboxes, and an ACME
//! server that looks for them at the gateway's port.

use crate::common::builder;
use anyhow::Result;
use rustix::process::Signal;
use rustls::ClientConfig;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use testkit::harness::{Builder, Hypervisor};
use testkit::pebble::Pebble;
use testkit::tls;
use testkit::wait::eventually;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub const GATEWAY: &str = "choir.test";
pub const ADA: &str = "ada.choir.test";

/// Seconds for which certificates usually are.
pub const LONG: u64 = 90 * 86_400;

pub struct Site {
    pub pebble: Pebble,
    pub gateway: Hypervisor,
    client: Option<ClientConfig>,
}

impl Site {
    /// One whose ACME server is away.
    pub async fn without_authority(more: impl FnOnce(Builder) -> Builder) -> Self {
        let pebble = Pebble::away().await.unwrap();
        let gateway = builder()
            .env("HYPERVISOR_ORIGINS", "own")
            .env("HYPERVISOR_AUTH_ORIGIN", "https://choir.test")
            .env("HYPERVISOR_AUTH_RP_ID", GATEWAY)
            .env("HYPERVISOR_TLS_REDIRECT_HOSTS", "[\"www.choir.test\"]")
            .env("HYPERVISOR_TLS_ACME_DIRECTORY", &pebble.directory())
            .env("HYPERVISOR_TLS_ACME_ACCEPT_TERMS", "true")
            .env("HYPERVISOR_TLS_ACME_EMAIL", "ops@choir.test")
            .env(
                "HYPERVISOR_TLS_ACME_CA_FILE",
                pebble.ca_file().to_str().unwrap(),
            )
            .config("[workspaces.ada]\n[workspaces.bob]\n");
        let mut site = Self {
            gateway: more(gateway).spawn().unwrap(),
            pebble,
            client: None,
        };
        site.listens().await;
        site
    }

    /// One whose ACME server issues for so long, and whose own host has its certificate.
    pub async fn start(validity_secs: u64, more: impl FnOnce(Builder) -> Builder) -> Self {
        let mut site = Self::without_authority(more).await;
        site.authority_comes(validity_secs).await;
        for name in [GATEWAY, "www.choir.test"] {
            eventually("the gateway's certificates", async || {
                site.connect(name).await.ok()
            })
            .await
            .unwrap_or_else(|error| panic!("{error:#}\n{}", site.pebble.log()));
        }
        site
    }

    /// Has the ACME server there, which knows nothing and has new roots.
    pub async fn authority_comes(&mut self, validity_secs: u64) {
        let port = self.gateway.port();
        self.pebble.start(port, validity_secs).await.unwrap();
        self.client = Some(self.pebble.client().await.unwrap());
    }

    /// Starts the gateway once more.
    pub async fn restart(&mut self) {
        self.gateway.respawn().await.unwrap();
        self.listens().await;
    }

    async fn listens(&mut self) {
        let address = self.gateway.address();
        let connected = async || TcpStream::connect(address).await.ok();
        let connected = eventually("the gateway", connected).await;
        connected
            .unwrap_or_else(|error| panic!("{error}\n{}", self.gateway.process().transcript()));
    }

    /// A handshake with a host, whose certificate must be good.
    pub async fn connect(&self, name: &'static str) -> Result<TlsStream<TcpStream>> {
        self.connect_as(name, |_| {}).await
    }

    pub async fn connect_as(
        &self,
        name: &'static str,
        change: impl FnOnce(&mut ClientConfig),
    ) -> Result<TlsStream<TcpStream>> {
        let mut config = self.client.clone().expect("an authority that was there");
        change(&mut config);
        tls::connect(self.gateway.address(), name, Arc::new(config)).await
    }

    /// The certificate of a host.
    pub async fn certificate(&self, name: &'static str) -> Vec<u8> {
        let stream = self.connect(name).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }

    /// What `hypervisor status` says of a host's certificate.
    pub async fn status(&self, name: &str) -> Value {
        let said = self.gateway.cli(&["status", "--json"]).await.unwrap();
        let said: Value = serde_json::from_slice(&said.stdout).unwrap();
        let all = said["certificates"].as_array().unwrap();
        let found = all.iter().find(|it| it["name"] == name);
        found.cloned().unwrap_or_default()
    }

    /// Has it try again what failed.
    pub fn hangup(&mut self) {
        self.gateway.process().signal(Signal::HUP).unwrap();
    }

    /// A line of the log with all of these, waited for.
    pub async fn told(&mut self, parts: &[&str]) -> String {
        let is_it = |line: &str| parts.iter().all(|part| line.contains(part));
        self.gateway.process().stderr_line(is_it).await.unwrap()
    }

    /// How many lines of the log have these.
    pub fn tells(&mut self, parts: &[&str]) -> usize {
        let log = self.gateway.process().stderr();
        let is_it = |line: &&str| parts.iter().all(|part| line.contains(part));
        log.lines().filter(is_it).count()
    }

    /// The folder of the account and the certificates.
    pub fn folder(&self) -> PathBuf {
        let below = std::fs::read_dir(self.gateway.state_dir().join("acme")).unwrap();
        let folders: Vec<_> = below.map(|it| it.unwrap().path()).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }
}
