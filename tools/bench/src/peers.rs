//! The proxies beside ours, and the upstream behind all: programs of others, with the config
//! files of `peers/`.

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
const HAPROXY: &str = include_str!("../peers/haproxy.cfg");

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
    /// Starts nginx as a proxy.
    ///
    /// # Errors
    /// It does not start.
    pub async fn nginx(upstream: SocketAddr) -> Result<Self> {
        Self::nginx_with(&fill(NGINX, "upstream", &upstream.to_string()), &[]).await
    }

    /// Starts HAProxy.
    ///
    /// # Errors
    /// It does not start.
    pub async fn haproxy(upstream: SocketAddr) -> Result<Self> {
        let config = fill(HAPROXY, "upstream", &upstream.to_string());
        Self::start(&config, &[], |file| {
            let mut command = Command::new("haproxy");
            command.arg("-db").arg("-f").arg(file);
            command
        })
        .await
    }

    /// Starts nginx with a config and the files that it serves.
    pub(crate) async fn nginx_with(config: &str, files: &[(&str, Vec<u8>)]) -> Result<Self> {
        // As root, its workers would be somebody else, who may not read our folder.
        let root = rustix::process::getuid().is_root();
        let config = fill(config, "user", if root { "user root root;" } else { "" });
        Self::start(&config, files, |file| {
            let mut command = Command::new("nginx");
            command.arg("-p").args(file.parent());
            command.arg("-c").arg(file).args(["-e", "stderr"]);
            command
        })
        .await
    }

    async fn start(
        config: &str,
        files: &[(&str, Vec<u8>)],
        command: impl FnOnce(&Path) -> Command,
    ) -> Result<Self> {
        let dir = tempfile::tempdir().context("make a folder")?;
        let port = Port::reserve()?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        let file = dir.path().join("config");
        std::fs::write(&file, fill(config, "listen", &listen.to_string()))?;
        std::fs::create_dir(dir.path().join("files"))?;
        for (name, content) in files {
            std::fs::write(dir.path().join("files").join(name), content)?;
        }
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
        (Ipv4Addr::LOCALHOST, self.port.number()).into()
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

/// Puts a value in the place that a config leaves for it.
pub(crate) fn fill(config: &str, place: &str, value: &str) -> String {
    config.replace(&format!("{{{{{place}}}}}"), value)
}

#[cfg(test)]
mod tests {
    use super::{HAPROXY, NGINX, fill};

    #[test]
    fn every_place_of_a_config_is_filled() {
        for config in [NGINX, HAPROXY] {
            let config = fill(config, "upstream", "127.0.0.1:1");
            let config = fill(&config, "listen", "127.0.0.1:2");
            let config = fill(&config, "user", "");
            assert!(!config.contains("{{"), "{config}");
            assert!(config.contains("127.0.0.1:1") && config.contains("127.0.0.1:2"));
        }
    }
}
