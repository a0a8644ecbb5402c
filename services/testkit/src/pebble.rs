//! A real ACME server: Let's Encrypt's Pebble, with a DNS server of its own that says of each name
//! that it is on this machine. Debian has both in the package `pebble`.

use crate::client::Client;
use crate::port::Port;
use crate::process::Process;
use crate::tls::{self, Authority, CERT_FILE, KEY_FILE, Kind};
use crate::wait::eventually;
use anyhow::{Context, Result, ensure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, DEFAULT_VERSIONS, RootCertStore};
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;
use tokio::net::TcpStream;

const ROOTS_FILE: &str = "roots.pem";
const CONFIG_FILE: &str = "pebble.json";

/// An ACME server that can be away. What it knows it forgets when it ends.
#[derive(Debug)]
pub struct Pebble {
    /// The percentage of requests that it refuses for their nonce, so that they are sent again.
    pub refused_nonces: u8,
    folder: TempDir,
    authority: Authority,
    listens: Port,
    manages: Port,
    dns: Port,
    dns_manages: Port,
    running: Option<Process>,
    _dns_server: Process,
}

impl Pebble {
    /// One that is away for now, whose DNS server is there.
    ///
    /// # Errors
    /// The programs are not installed.
    pub async fn away() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        authority.issue(Kind::Ecdsa)?.write(folder.path())?;
        std::fs::write(folder.path().join(ROOTS_FILE), authority.root_pem())?;
        let (dns, dns_manages) = (Port::reserve()?, Port::reserve()?);
        let mut server = Command::new("pebble-challtestsrv");
        for (flag, port) in [("-dns01", &dns), ("-management", &dns_manages)] {
            server.args([flag, &format!("127.0.0.1:{}", port.number())]);
        }
        for unused in ["-http01", "-https01", "-tlsalpn01", "-defaultIPv6"] {
            server.args([unused, ""]);
        }
        let pebble = Self {
            _dns_server: Process::spawn(server).context("`apt-get install pebble` has it")?,
            refused_nonces: 0,
            folder,
            authority,
            listens: Port::reserve()?,
            manages: Port::reserve()?,
            dns,
            dns_manages,
            running: None,
        };
        reachable(&pebble.dns_manages).await?;
        Ok(pebble)
    }

    /// The URL of its directory.
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.listens.number())
    }

    /// The root that its own TLS leads to.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join(ROOTS_FILE)
    }

    /// Starts it: it looks at names at this port, and issues for so many seconds.
    ///
    /// # Errors
    /// It is not installed, or did not start.
    pub async fn start(&mut self, tls_port: u16, validity_secs: u64) -> Result<()> {
        let file = |name: &str| self.folder.path().join(name);
        let listen = |port: &Port| format!("127.0.0.1:{}", port.number());
        let config = json!({ "pebble": {
            "listenAddress": listen(&self.listens),
            "managementListenAddress": listen(&self.manages),
            "certificate": file(CERT_FILE),
            "privateKey": file(KEY_FILE),
            "httpPort": 1,
            "tlsPort": tls_port,
            "certificateValidityPeriod": validity_secs,
            // The same, of a newer one.
            "profiles": { "default": { "description": "", "validityPeriod": validity_secs } },
        }});
        std::fs::write(file(CONFIG_FILE), config.to_string())?;
        let mut server = Command::new("pebble");
        server
            .args(["-dnsserver", &listen(&self.dns), "-config"])
            .arg(file(CONFIG_FILE))
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", self.refused_nonces.to_string())
            // Each order looks at its name anew.
            .env("PEBBLE_AUTHZREUSE", "0");
        self.running = Some(Process::spawn(server).context("`apt-get install pebble` has it")?);
        reachable(&self.manages).await?;
        reachable(&self.listens).await
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// What a client is like that trusts what it issues alone.
    ///
    /// # Errors
    /// It does not run.
    pub async fn client(&self) -> Result<ClientConfig> {
        let base = format!("https://localhost:{}", self.manages.number());
        let root = Client::over_tls(&base, self.authority.trusted());
        let root = root.get("/roots/0").await?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&root.body)?)?;
        Ok(tls::config(roots, DEFAULT_VERSIONS))
    }

    /// Has DNS say that a name is at this address, or, without one, at this machine's usual one.
    ///
    /// # Errors
    /// The DNS server does not hear.
    pub async fn point(&self, name: &str, address: Option<&str>) -> Result<()> {
        let base = format!("http://localhost:{}", self.dns_manages.number());
        let (path, body) = match address {
            Some(address) => ("/add-a", json!({ "host": name, "addresses": [address] })),
            None => ("/clear-a", json!({ "host": name })),
        };
        let said = Client::new(&base).post_json(path, &body).await?;
        ensure!(said.status == 200, "{path}: {}", said.status);
        Ok(())
    }

    /// How many orders and accounts it was asked for since its start.
    pub fn asked(&self) -> Asked {
        let log = self
            .running
            .as_ref()
            .map(Process::stdout)
            .unwrap_or_default();
        let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
        Asked {
            orders: count("Added order"),
            accounts: count("accounts in memory"),
        }
    }

    /// What it has written.
    pub fn log(&self) -> String {
        self.running
            .as_ref()
            .map(Process::transcript)
            .unwrap_or_default()
    }
}

/// How many times it was asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Orders.
    pub orders: usize,
    /// Accounts.
    pub accounts: usize,
}

async fn reachable(port: &Port) -> Result<()> {
    let address = (std::net::Ipv4Addr::LOCALHOST, port.number());
    let connected = async || TcpStream::connect(address).await.ok();
    eventually("a server of the test", connected)
        .await
        .map(drop)
}
