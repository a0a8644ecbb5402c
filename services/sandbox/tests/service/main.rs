//! The sandbox service as a program: what its callers are promised.

mod events;
mod health;
mod page;
mod shutdown;
mod start;
mod stream;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use testkit::client::Client;
use testkit::process::Process;

/// A call of the program with nothing of our own environment.
fn program(data_dir: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command
        .env_clear()
        .env("SANDBOX_NAME", "sandbox-live")
        .env("SANDBOX_INSTANCE_ROLE", "live")
        .env("SANDBOX_DATA_DIR", data_dir)
        .env("SANDBOX_LISTEN", listen);
    command
}

/// A running sandbox; its data is below `dir`.
struct Sandbox {
    process: Process,
    address: SocketAddr,
    client: Client,
    dir: TempDir,
}

impl Sandbox {
    async fn start() -> Result<Self> {
        Self::start_in(tempfile::tempdir()?).await
    }

    /// Starts one, perhaps on the data of an earlier one.
    async fn start_in(dir: TempDir) -> Result<Self> {
        Self::start_with(dir, &[]).await
    }

    /// The same with more in its environment.
    async fn start_with(dir: TempDir, env: &[(&str, &str)]) -> Result<Self> {
        let mut program = program(&dir.path().join("data"), "127.0.0.1:0");
        program.envs(env.iter().copied());
        let process = Process::spawn(program)?;
        let listening = process.stderr_line(|line| line.contains("listening"));
        let listening = listening.await?;
        let (_, rest) = listening.split_once("address=").context("an address")?;
        let address: SocketAddr = rest.split(' ').next().unwrap_or_default().parse()?;
        Ok(Self {
            process,
            address,
            client: Client::new(&format!("http://localhost:{}", address.port())),
            dir,
        })
    }

    /// Kills it and starts another one on its data.
    async fn crash_and_restart(mut self) -> Result<Self> {
        self.process.kill9()?;
        self.process.wait_exit().await?;
        Self::start_in(self.dir).await
    }

    /// Posts an event and returns it as it was acknowledged.
    async fn post(&self, kind: &str, payload: Value) -> Result<Value> {
        post(&self.client, kind, payload).await
    }

    /// The whole log.
    async fn log(&self) -> Result<Vec<Value>> {
        self.client.get("/logs/events?limit=1000").await?.json()
    }
}

async fn post(client: &Client, kind: &str, payload: Value) -> Result<Value> {
    let event = json!({"kind": kind, "payload": payload});
    let response = client.post_json("/logs/events", &event).await?;
    anyhow::ensure!(
        response.status == 201,
        "{} {}",
        response.status,
        response.text()
    );
    response.json()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| event["kind"].as_str())
        .collect()
}

fn ids(events: &[Value]) -> Vec<i64> {
    events
        .iter()
        .filter_map(|event| event["id"].as_i64())
        .collect()
}
