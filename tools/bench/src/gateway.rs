//! The hypervisor under load: the shipped program with its defaults, and someone logged in.

use crate::certificate::Certificate;
use crate::client::{Client, Stream};
use anyhow::{Context, Result, bail, ensure};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::wait::eventually;

/// The path at which an upstream says that it is well.
pub const HEALTH: &str = "/small";

/// The host of what is measured: a sandbox's, as live.
pub const HOST: &str = "sandbox.localhost";

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

/// A hypervisor, and a browser that may see its live sandbox.
#[derive(Debug)]
pub struct Gateway {
    hypervisor: Hypervisor,
    /// The sandbox's host.
    host_name: String,
    /// What it holds there.
    cookie: String,
    /// What it holds at the gateway.
    session: String,
}

impl Gateway {
    /// Starts `program` in front of `upstream`, and logs someone in.
    ///
    /// # Errors
    /// It does not start, or refuses the log-in.
    pub async fn start(program: &Path, upstream: SocketAddr, front: Front<'_>) -> Result<Self> {
        let has_own_origins = has_own_origins(program)?;
        let builder = Hypervisor::builder(program)
            .env("HYPERVISOR_REGISTRATION", "open")
            .config(&config(upstream));
        let builder = if has_own_origins {
            builder.env("HYPERVISOR_ORIGINS", "own")
        } else {
            builder.without_env("HYPERVISOR_ORIGINS")
        };
        let hypervisor = builder.start().await;
        let hypervisor = hypervisor.with_context(|| format!("start {}", program.display()))?;
        let person = Person::register(&hypervisor, "ada").await?;
        let client = if has_own_origins {
            person.enter(HOST).await?
        } else {
            person.client.clone()
        };
        let mut gateway = Self {
            hypervisor,
            host_name: client.host().to_owned(),
            cookie: client.cookies(),
            session: person.client.cookies(),
        };
        gateway.stand_behind(front).await?;
        Ok(gateway)
    }

    /// Somebody signs up without TLS, since only the store has to know the session; then the
    /// hypervisor is started as it is to be measured.
    async fn stand_behind(&mut self, front: Front<'_>) -> Result<()> {
        let Self {
            hypervisor, cookie, ..
        } = self;
        let port = match front {
            Front::Plain => return Ok(()),
            Front::Tls(_) => hypervisor.port(),
            Front::Proxy(port) => port,
        };
        *cookie = over_https(cookie);
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

    /// The host of its live sandbox, without a port.
    pub fn host_name(&self) -> &str {
        &self.host_name
    }

    /// The `Cookie` header of the session, over plain http.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// The `Cookie` header of a browser that may see it.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

/// Whether it gives each sandbox an origin of its own; an older one has no such command.
fn has_own_origins(program: &Path) -> Result<bool> {
    let output = Command::new(program).args(["access", "--help"]).output();
    let output = output.with_context(|| format!("start {}", program.display()))?;
    Ok(output.status.success())
}

/// The `Cookie` header with the names that the same cookies have over https: those over plain http
/// end with the port.
fn over_https(cookies: &str) -> String {
    let renamed = cookies.split("; ").map(|cookie| {
        let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
        let stem = name.trim_end_matches(|end: char| end.is_ascii_digit() || end == '-');
        format!("__Host-{stem}={value}")
    });
    renamed.collect::<Vec<_>>().join("; ")
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
pub(crate) fn config(upstream: SocketAddr) -> String {
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

#[cfg(test)]
mod tests {
    use super::over_https;

    #[test]
    fn cookies_have_other_names_over_https() {
        for (plain, https) in [
            ("choiros=a-1", "__Host-choiros=a-1"),
            ("choiros-9090=a", "__Host-choiros=a"),
            (
                "choiros-enter-80=b; choiros-grant-80=c=",
                "__Host-choiros-enter=b; __Host-choiros-grant=c=",
            ),
        ] {
            assert_eq!(over_https(plain), https);
        }
    }
}
