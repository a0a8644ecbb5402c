//! The hypervisor, on a socket that outlives it, and the orders that it is given.

use super::caller::Caller;
use super::ledger::Span;
use super::origins::Origins;
use super::sandbox::Sandbox;
use super::types::{Moment, Role};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use testkit::activation;
use testkit::client::Client;
use testkit::person::Person;
use testkit::process::Process;
use testkit::wait::DEADLINE;
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, timeout};

/// systemd's own default for what may wait until it is accepted.
const BACKLOG: u32 = 4096;

/// For so long may no request be answered until the storm is given up.
const STALLED: Duration = Duration::from_mins(1);

/// The running hypervisor. Dropped, it is killed.
pub(super) struct Gateway {
    /// First, so that it ends before its folder goes.
    process: Process,
    bin: PathBuf,
    listener: TcpListener,
    address: SocketAddr,
    folder: TempDir,
}

impl Gateway {
    /// Starts `bin` with this config, in a folder of its own.
    pub(super) fn start(bin: &Path, config: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(BACKLOG)?.into_std()?;
        let address = listener.local_addr()?;
        let folder = tempfile::tempdir().context("make a folder")?;
        std::fs::write(folder.path().join("hypervisor.toml"), config)?;
        let bin = std::path::absolute(bin)?;
        let process = spawn(&bin, folder.path(), &listener)?;
        Ok(Self {
            process,
            bin,
            listener,
            address,
            folder,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its folder, which has its store and its sandboxes' data.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// An account there, logged in.
    pub(super) async fn caller(&self) -> Result<Caller> {
        let origin = format!("http://localhost:{}", self.address.port());
        let person = Person::register_with(Client::new(&origin), "storm").await;
        let person = person.with_context(|| self.process.transcript())?;
        Ok(Caller::new(person, self.address))
    }

    /// Ends it and starts it again, as systemd does; says when it was told to end, and when it
    /// had ended.
    pub(super) async fn restart(&mut self, now: impl Fn() -> Moment) -> Result<Span> {
        let begin = now();
        self.process.sigterm()?;
        let status = self.process.wait_exit().await?;
        let end = now();
        ensure!(status.success(), "it ended with {status}");
        self.process = spawn(&self.bin, self.folder.path(), &self.listener)?;
        Ok(Span { begin, end })
    }

    /// Kills it (SIGKILL) and starts it again.
    pub(super) async fn kill(&mut self) -> Result<()> {
        self.process.kill9()?;
        self.process.wait_exit().await?;
        self.process = spawn(&self.bin, self.folder.path(), &self.listener)?;
        Ok(())
    }

    /// One of its operator commands; what it says as JSON.
    pub(super) async fn operator(&self, args: &[&str]) -> Result<Value> {
        let mut command = tokio::process::Command::new(&self.bin);
        command
            .args(["--json", "--config", "hypervisor.toml"])
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .kill_on_drop(true);
        let output = timeout(2 * DEADLINE, command.output()).await??;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{args:?}: {said}");
        serde_json::from_slice(&output.stdout).with_context(|| format!("{args:?}: {said}"))
    }

    /// Waits until `answered` says so many requests.
    ///
    /// # Errors
    /// None is answered any more.
    pub(super) async fn reached(&self, count: u64, answered: impl Fn() -> u64) -> Result<()> {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let now = answered();
            if now >= count {
                return Ok(());
            }
            if now > last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > STALLED {
                let transcript = self.transcript();
                bail!("no request was answered for {STALLED:?}\n{transcript}");
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// What it has said, for a message.
    pub(super) fn transcript(&self) -> String {
        self.process.transcript()
    }
}

fn spawn(bin: &Path, folder: &Path, listener: &TcpListener) -> Result<Process> {
    let mut command = activation::command(bin, "http");
    command
        .args(["serve", "--config", "hypervisor.toml"])
        .current_dir(folder)
        .env_clear()
        .env(
            "HYPERVISOR_SERVER_LISTEN",
            listener.local_addr()?.to_string(),
        );
    Process::spawn_with(command, activation::stdin(listener)?)
}

/// As shipped, but for what a storm needs: anyone may register, and a sandbox that hangs is noticed
/// within the storm.
pub(super) fn adopting(sandboxes: &[Sandbox; 2], origins: Origins) -> String {
    let [live, dev] = sandboxes.each_ref().map(Sandbox::address);
    format!(
        "registration = \"open\"\n\
         origins = \"{origins}\"\n\
         [store]\npath = \"hypervisor.db\"\n\
         [proxy]\nresponse_secs = 4\n\
         [runtime]\nkind = \"adopt\"\nprobe_secs = 1\nprobe_timeout_secs = 2\n\
         [workspaces.sandbox.live]\naddress = \"{live}\"\n\
         [workspaces.sandbox.dev]\naddress = \"{dev}\"\n"
    )
}

/// The generation, by the hypervisor's own words, which must agree with the turns that the
/// sandboxes take.
pub(super) async fn generation(caller: &Caller) -> Result<u64> {
    let (status, rows) = caller.call("GET", "/admin/sandboxes", &Value::Null).await?;
    let generation = rows[0]["generation"].as_u64();
    let generation = generation.with_context(|| format!("{status}: {rows}"))?;
    for row in rows.as_array().into_iter().flatten() {
        let role = row["role"].as_str().and_then(Role::of).context("a role")?;
        ensure!(
            row["generation"] == generation && row["sandbox"] == role.held_by(generation).sandbox(),
            "the routes are no whole generation: {rows}"
        );
    }
    Ok(generation)
}
