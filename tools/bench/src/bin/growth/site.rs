//! A hypervisor whose store was filled while it was stopped.

use crate::client::{self, Client};
use crate::fill::{self, Amounts};
use crate::{rest, upstream};
use anyhow::{Result, bail, ensure};
use bench::proc;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::harness::Hypervisor;
use tokio::time::{sleep, timeout_at};

/// What the first start of a new store may take.
const LIMIT: Duration = Duration::from_mins(5);

/// A hypervisor, and the requests of its users.
pub struct Site {
    hypervisor: Hypervisor,
    /// One for each session that is used.
    pub requests: Arc<Vec<Vec<u8>>>,
}

/// What a start took.
pub struct Start {
    /// From the program's start to its first answer.
    pub answered: Duration,
    /// CPU time until it has come to rest.
    pub cpu: Duration,
    /// Resident bytes then.
    pub memory: u64,
}

/// The config of declared workspaces whose sandboxes are all the same web service.
pub fn adopting(workspaces: u32, upstream: u16, probe_secs: u32) -> Result<String> {
    let mut config = format!("[runtime]\nkind = \"adopt\"\nprobe_secs = {probe_secs}\n");
    let names = (0..workspaces).map(fill::workspace);
    let mut addresses = (0..).map(|number| upstream::address(upstream, number));
    for name in names.chain(["sandbox".to_owned()]) {
        for (role, address) in ["live", "dev"].into_iter().zip(&mut addresses) {
            writeln!(
                config,
                "[workspaces.{name}.{role}]\naddress = \"{address}\""
            )?;
            writeln!(config, "identity = false")?;
        }
    }
    Ok(config)
}

impl Site {
    /// A hypervisor with this config, whose store has these amounts, and of whose sessions so
    /// many are used, spread over all.
    pub async fn new(bin: &Path, amounts: Amounts, config: &str, used: u32) -> Result<Self> {
        let builder = Hypervisor::builder(bin).config(config);
        let mut hypervisor = builder.env("HYPERVISOR_LOG_FILTER", "warn").spawn()?;
        // With the store's tables and the declared workspaces.
        first_answer(&mut hypervisor).await?;
        stop(&mut hypervisor).await?;
        fill::fill(&hypervisor.state_dir().join("hypervisor.db"), amounts)?;
        let address = hypervisor.address();
        let step = amounts.sessions / used.max(1);
        let cookies = (0..used).map(|number| fill::cookie(number * step));
        let requests = cookies.map(|cookie| client::request(address, &cookie));
        Ok(Self {
            requests: Arc::new(requests.collect()),
            hypervisor,
        })
    }

    /// Starts it anew, and waits until it has come to rest.
    pub async fn start(&mut self) -> Result<Start> {
        self.stop().await?;
        let begun = Instant::now();
        self.hypervisor.respawn().await?;
        first_answer(&mut self.hypervisor).await?;
        let answered = begun.elapsed();
        rest::quiet(self.pid()).await?;
        Ok(Start {
            answered,
            cpu: proc::cpu(self.pid())?,
            memory: self.memory()?,
        })
    }

    /// Stops it.
    pub async fn stop(&mut self) -> Result<()> {
        stop(&mut self.hypervisor).await
    }

    /// How long one of the operator's commands takes.
    pub async fn command(&self, args: &[&str]) -> Result<Duration> {
        let begun = Instant::now();
        let output = self.hypervisor.cli(args).await?;
        ensure!(output.status.success(), "{args:?}: {output:?}");
        Ok(begun.elapsed())
    }

    pub fn address(&self) -> SocketAddr {
        self.hypervisor.address()
    }

    pub fn pid(&self) -> u32 {
        self.hypervisor.pid()
    }

    pub fn memory(&self) -> Result<u64> {
        proc::status(self.pid(), "VmRSS")
    }
}

async fn stop(hypervisor: &mut Hypervisor) -> Result<()> {
    if hypervisor.process().exited()?.is_none() {
        hypervisor.sigterm()?;
        hypervisor.wait_exit().await?;
    }
    Ok(())
}

/// Resolves at the first answer to `GET /health`.
async fn first_answer(hypervisor: &mut Hypervisor) -> Result<()> {
    let address = hypervisor.address();
    let request = format!("GET /health HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline && hypervisor.process().exited()?.is_none() {
        if let Ok(mut client) = Client::connect(address).await {
            // It listens before it serves, so that this waits for just the right time.
            let answer = timeout_at(deadline.into(), client.ask(request.as_bytes(), "200"));
            if answer.await.is_ok_and(|answer| answer.is_ok()) {
                return Ok(());
            }
        }
        sleep(Duration::from_millis(1)).await;
    }
    bail!("no answer: {}", hypervisor.process().transcript())
}
