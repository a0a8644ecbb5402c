//! The hypervisor under load: the shipped program with its defaults, and someone logged in.

use crate::certificate::Certificate;
use crate::client::{Client, Stream};
use anyhow::{Context, Result, bail, ensure};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::wait::eventually;

/// The path at which an upstream says that it is well.
pub const HEALTH: &str = "/small";

/// What a browser speaks with.
#[derive(Debug, Clone, Copy)]
pub enum Front<'a> {
    /// The hypervisor, without TLS.
    Plain,
    /// The hypervisor, with TLS of its own.
    Tls(&'a Certificate),
    /// A proxy on this port that ends TLS and comes over a Unix socket.
    Proxy(u16),
}

/// A hypervisor, and the cookie of a session.
#[derive(Debug)]
pub struct Gateway {
    hypervisor: Hypervisor,
    cookie: String,
}

impl Gateway {
    /// Starts `program` in front of `upstream`, and logs someone in.
    ///
    /// # Errors
    /// It does not start, or refuses the log-in.
    pub async fn start(program: &Path, upstream: SocketAddr, front: Front<'_>) -> Result<Self> {
        let hypervisor = Hypervisor::builder(program)
            .env("HYPERVISOR_REGISTRATION", "open")
            .config(&config(upstream))
            .start()
            .await
            .with_context(|| format!("start {}", program.display()))?;
        let cookie = Person::register(&hypervisor, "ada").await?.cookie();
        let mut gateway = Self { hypervisor, cookie };
        gateway.stand_behind(front).await?;
        Ok(gateway)
    }

    /// Somebody signs up without TLS, since only the store has to know the session; then the
    /// hypervisor is started as it is to be measured.
    async fn stand_behind(&mut self, front: Front<'_>) -> Result<()> {
        let Self { hypervisor, cookie } = self;
        let port = match front {
            Front::Plain => return Ok(()),
            Front::Tls(_) => hypervisor.port(),
            Front::Proxy(port) => port,
        };
        *cookie = format!("__Host-{cookie}");
        hypervisor.set_env(
            "HYPERVISOR_AUTH_ORIGIN",
            &format!("https://localhost:{port}"),
        );
        if let Front::Tls(certificate) = front {
            for (name, file) in [("CERT", certificate.cert()), ("KEY", certificate.key())] {
                let name = format!("HYPERVISOR_TLS_{name}");
                hypervisor.set_env(&name, &file.display().to_string());
            }
            hypervisor.respawn().await?;
            return speaking_tls(hypervisor, certificate).await;
        }
        let socket = socket_of(hypervisor).display().to_string();
        hypervisor.set_env("HYPERVISOR_SERVER_PROXY_SOCKET", &socket);
        hypervisor.restart().await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.hypervisor.address()
    }

    /// The Unix socket for a proxy.
    pub fn socket(&self) -> PathBuf {
        socket_of(&self.hypervisor)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.hypervisor.pid()
    }

    /// Copies its store.
    ///
    /// # Errors
    /// It does not say that it did.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        let to = to.to_str().context("a path in UTF-8")?;
        let output = self.hypervisor.cli(&["backup", "--to", to]).await?;
        ensure!(output.status.success(), "{output:?}");
        Ok(())
    }

    /// The `Cookie` header of the session.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

fn socket_of(hypervisor: &Hypervisor) -> PathBuf {
    hypervisor.state_dir().join("proxy.sock")
}

/// Resolves once it speaks TLS with this certificate.
async fn speaking_tls(hypervisor: &mut Hypervisor, certificate: &Certificate) -> Result<()> {
    let (address, tls) = (hypervisor.address(), certificate.client());
    let host = format!("localhost:{}", address.port());
    let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let process = hypervisor.process();
    let up = eventually("a response over TLS", async || {
        if !matches!(process.exited(), Ok(None)) {
            return Some(false);
        }
        let stream = Stream::connect(address, Some(&tls)).await.ok()?;
        let response = Client::over(stream).ask(request.as_bytes()).await.ok()?;
        (response.status == 200).then_some(true)
    });
    if !up.await.with_context(|| process.transcript())? {
        bail!("it does not start with [tls]\n{}", process.transcript());
    }
    Ok(())
}

/// Only what says where the upstream is; dev is never asked for, but has to be somewhere. And one
/// user stands for thousands here, so that the limits on one are raised to what the gateway takes.
fn config(upstream: SocketAddr) -> String {
    let sandbox = |role, address| {
        format!(
            "[workspaces.sandbox.{role}]\naddress = \"{address}\"\n\
             health_path = \"{HEALTH}\"\nidentity = false\n"
        )
    };
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let (live, dev) = (sandbox("live", upstream), sandbox("dev", nowhere));
    let limits = [
        "max_requests",
        "max_requests_per_sandbox",
        "max_requests_per_user",
    ];
    let limits = limits.map(|key| format!("{key} = 10_000\n")).concat();
    format!("[runtime]\nkind = \"adopt\"\n\n[proxy]\n{limits}\n{live}\n{dev}")
}
