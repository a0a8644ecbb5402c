//! Servers of others: the proxies beside ours, the upstream behind all, and the service that two
//! of the proxies ask about each request. Their config files are in `peers/`.

use crate::certificate::Certificate;
use anyhow::{Context, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::port::Port;
use testkit::process::Process;
use tokio::net::TcpStream;

const NGINX: &str = include_str!("../peers/nginx.conf");
const AUTH_UPSTREAM: &str = include_str!("../peers/auth_upstream.conf");
const AUTH_LOCATION: &str = include_str!("../peers/auth_location.conf");
const AUTH: &str = include_str!("../peers/auth.conf");
const HAPROXY: &str = include_str!("../peers/haproxy.cfg");
const CADDY: &str = include_str!("../peers/Caddyfile");

/// How long a server may take to end by itself.
const ENDING: Duration = Duration::from_secs(5);

/// A running server of others. Dropped, it and its workers end, and its folder goes.
#[derive(Debug)]
pub struct Server {
    process: Process,
    port: Port,
    _dir: TempDir,
}

impl Server {
    /// nginx as a proxy; with `auth` it asks that service about each request.
    ///
    /// # Errors
    /// It does not start.
    pub async fn nginx(
        upstream: SocketAddr,
        tls: Option<&Certificate>,
        auth: Option<SocketAddr>,
    ) -> Result<Self> {
        let speaks = tls.map_or_else(String::new, |certificate| {
            let (cert, key) = (certificate.cert(), certificate.key());
            let (cert, key) = (cert.display(), key.display());
            format!(
                "ssl http2;\n        ssl_certificate {cert};\n        ssl_certificate_key {key}"
            )
        });
        let auth_of = |text: &str| match auth {
            Some(address) => fill(text, "auth", &address.to_string()),
            None => String::new(),
        };
        let config = fill(NGINX, "upstream", &upstream.to_string());
        let config = fill(&config, "tls", &speaks);
        let config = fill(&config, "auth_upstream", &auth_of(AUTH_UPSTREAM));
        let config = fill(&config, "auth_request", &auth_of("auth_request /check;"));
        let config = fill(&config, "auth_location", &auth_of(AUTH_LOCATION));
        Self::nginx_with(&config, &[], Ipv4Addr::LOCALHOST).await
    }

    /// The service that tells this cookie from all others.
    ///
    /// # Errors
    /// It does not start.
    pub async fn auth(cookie: &str) -> Result<Self> {
        Self::nginx_with(&fill(AUTH, "cookie", cookie), &[], Ipv4Addr::LOCALHOST).await
    }

    /// HAProxy.
    ///
    /// # Errors
    /// It does not start.
    pub async fn haproxy(upstream: SocketAddr, tls: Option<&Certificate>) -> Result<Self> {
        let speaks = tls.map_or_else(String::new, |certificate| {
            format!("ssl crt {} alpn h2,http/1.1", certificate.both().display())
        });
        let config = fill(HAPROXY, "upstream", &upstream.to_string());
        let config = fill(&config, "tls", &speaks);
        let config = fill(
            &config,
            "scheme",
            if tls.is_some() { "https" } else { "http" },
        );
        let (dir, port) = (tempfile::tempdir()?, Port::reserve()?);
        let config = fill(&config, "listen", &localhost(&port).to_string());
        Self::start(dir, port, &config, |file| {
            let mut command = Command::new("haproxy");
            command.arg("-db").arg("-f").arg(file);
            command
        })
        .await
    }

    /// Caddy on this port, before an upstream in Caddy's own words; with `auth` it asks that
    /// service about each request.
    ///
    /// # Errors
    /// It does not start.
    pub async fn caddy(
        port: Port,
        upstream: &str,
        tls: &Certificate,
        auth: Option<SocketAddr>,
    ) -> Result<Self> {
        let forward_auth = auth.map_or_else(String::new, |address| {
            format!("forward_auth {address} {{\n\t\turi {{uri}}\n\t}}")
        });
        let config = fill(CADDY, "upstream", upstream);
        let config = fill(&config, "port", &port.number().to_string());
        let config = fill(&config, "cert", &tls.cert().display().to_string());
        let config = fill(&config, "key", &tls.key().display().to_string());
        let config = fill(&config, "forward_auth", &forward_auth);
        Self::start(tempfile::tempdir()?, port, &config, |file| {
            let mut command = Command::new("caddy");
            command.args(["run", "--adapter", "caddyfile", "--config"]);
            // Its folders are below its home.
            command.arg(file).env_clear().env("GOMAXPROCS", "2");
            command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
            command.envs(file.parent().map(|home| ("HOME", home)));
            command
        })
        .await
    }

    /// nginx with a config and the files that it serves, listening at this address.
    pub(crate) async fn nginx_with(
        config: &str,
        files: &[(&str, Vec<u8>)],
        listen: Ipv4Addr,
    ) -> Result<Self> {
        // As root, its workers would be somebody else, who may not read our folder.
        let root = rustix::process::getuid().is_root();
        let (dir, port) = (tempfile::tempdir()?, Port::reserve()?);
        let config = fill(config, "user", if root { "user root root;" } else { "" });
        let config = fill(&config, "listen", &format!("{listen}:{}", port.number()));
        std::fs::create_dir(dir.path().join("files"))?;
        for (name, content) in files {
            std::fs::write(dir.path().join("files").join(name), content)?;
        }
        Self::start(dir, port, &config, |file| {
            let mut command = Command::new("nginx");
            command.arg("-p").args(file.parent());
            command.arg("-c").arg(file).args(["-e", "stderr"]);
            command
        })
        .await
    }

    async fn start(
        dir: TempDir,
        port: Port,
        config: &str,
        command: impl FnOnce(&Path) -> Command,
    ) -> Result<Self> {
        let file = dir.path().join("config");
        std::fs::write(&file, config)?;
        let mut server = Self {
            process: Process::spawn(command(&file))?,
            port,
            _dir: dir,
        };
        server.listening().await?;
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        localhost(&self.port)
    }

    /// The process that started its workers, if it has any.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    async fn listening(&mut self) -> Result<()> {
        let address = self.address();
        let process = &mut self.process;
        let up = testkit::wait::eventually("a server's port", async || {
            let ended = !matches!(process.exited(), Ok(None));
            let reached = TcpStream::connect(address).await.is_ok();
            (ended || reached).then_some(reached)
        });
        let reached = up.await.with_context(|| process.transcript())?;
        anyhow::ensure!(reached, "it does not start\n{}", process.transcript());
        Ok(())
    }
}

impl Drop for Server {
    /// nginx's workers outlive their master if it is killed, so it is asked first.
    fn drop(&mut self) {
        let family = crate::proc::family(self.pid()).unwrap_or_default();
        let asked = Instant::now();
        if self.process.sigterm().is_ok() {
            while matches!(self.process.exited(), Ok(None)) && asked.elapsed() < ENDING {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        if matches!(self.process.exited(), Ok(None)) {
            crate::proc::kill(&family);
        }
    }
}

/// This port of this machine.
fn localhost(port: &Port) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port.number()).into()
}

/// Puts a value in the place that a config leaves for it.
pub(crate) fn fill(config: &str, place: &str, value: &str) -> String {
    config.replace(&format!("{{{{{place}}}}}"), value)
}
