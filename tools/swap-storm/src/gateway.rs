//! The hypervisor, on a socket that outlives it, and the orders that it is given.

use super::clients::Field;
use super::ledger::Span;
use super::origins::Origins;
use super::sandbox::Sandbox;
use super::types::{Moment, Role};
use super::wire::Wire;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use testkit::act;
use testkit::activation;
use testkit::client::Client;
use testkit::person::Person;
use testkit::process::Process;
use testkit::wait::DEADLINE;
use tokio::net::TcpSocket;
use tokio::time::timeout;

/// systemd's own default for what may wait until it is accepted.
const BACKLOG: u32 = 4096;

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
    /// Starts `bin` with these two sandboxes, live first.
    pub(super) fn start(bin: &Path, sandboxes: &[Sandbox; 2], origins: Origins) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(BACKLOG)?.into_std()?;
        let address = listener.local_addr()?;
        let folder = tempfile::tempdir().context("make a folder")?;
        let config = config(sandboxes, origins);
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

    /// An account there.
    pub(super) async fn person(&self) -> Result<Person> {
        let origin = format!("http://localhost:{}", self.address.port());
        let person = Person::register_with(Client::new(&origin), "storm").await;
        person.with_context(|| self.process.transcript())
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
fn config(sandboxes: &[Sandbox; 2], origins: Origins) -> String {
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

/// One call of the hypervisor's own surface, on a connection of its own and never repeated.
pub(super) async fn call(
    field: &Field,
    method: &str,
    path: &str,
    order: &Value,
) -> Result<(u16, Value)> {
    let order = order.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{order}",
        field.headers,
        order.len()
    );
    let exchange = async {
        let mut wire = Wire::connect(field.address).await?;
        wire.send(request.as_bytes()).await?;
        let mut head = wire.head().await.map_err(|died| anyhow!(died.cause))?;
        let answer = wire.rest(&mut head.body).await?;
        Ok((head.status, serde_json::from_slice(&answer)?))
    };
    let answer: Result<_> = timeout(2 * DEADLINE, exchange).await?;
    answer.with_context(|| format!("{method} {path}"))
}

/// Begins an act and confirms it; what is left is to send the order to [`act::FINISH`].
pub(super) async fn confirmed(field: &Field, person: &Person, act: &Value) -> Result<Value> {
    let (status, begun) = call(field, "POST", act::START, act).await?;
    ensure!(status == 200, "{act}: {status} {begun}");
    person.confirm(&begun)
}

/// The generation, by the hypervisor's own words, which must agree with the turns that the
/// sandboxes take.
pub(super) async fn generation(field: &Field) -> Result<u64> {
    let (status, rows) = call(field, "GET", "/admin/sandboxes", &Value::Null).await?;
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
