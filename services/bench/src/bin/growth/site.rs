//! A hypervisor whose store was filled while it was stopped.

use crate::client::{self, Client};
use crate::fill::{self, Amounts};
use crate::{upstream, usage};
use anyhow::{Result, bail, ensure};
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
    /// From there to a proxied answer, of a session that was not used since.
    pub proxied: Option<Duration>,
    /// Resident bytes once it has come to rest.
    pub memory: u64,
}

impl Site {
    /// One whose workspaces are declared, and all sandboxes the same web service.
    pub async fn adopting(bin: &Path, amounts: Amounts, upstream: u16) -> Result<Self> {
        let mut config = "[runtime]\nkind = \"adopt\"\n".to_owned();
        let names = (0..amounts.users).map(fill::workspace);
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
        Self::new(bin, amounts, &config, amounts.users).await
    }

    /// One whose workspaces were made for their users, and whose sandboxes are processes.
    pub async fn with_processes(bin: &Path, amounts: Amounts) -> Result<Self> {
        Self::new(bin, amounts, "", 0).await
    }

    async fn new(bin: &Path, amounts: Amounts, config: &str, used: u32) -> Result<Self> {
        let builder = Hypervisor::builder(bin).config(config);
        let mut hypervisor = builder.env("HYPERVISOR_LOG_FILTER", "warn").spawn()?;
        // With the store's tables and the declared workspaces; many take their time.
        first_answer(&mut hypervisor).await?;
        stop(&mut hypervisor).await?;
        fill::fill(&hypervisor.state_dir().join("hypervisor.db"), amounts)?;
        let address = hypervisor.address();
        let requests = (0..used).map(|number| client::request(address, &fill::cookie(number)));
        Ok(Self {
            requests: Arc::new(requests.collect()),
            hypervisor,
        })
    }

    /// Has it use these sessions.
    pub fn use_sessions(&mut self, numbers: impl Iterator<Item = u32>) {
        let address = self.address();
        let requests = numbers.map(|number| client::request(address, &fill::cookie(number)));
        self.requests = Arc::new(requests.collect());
    }

    /// Starts it anew, and waits until it has come to rest.
    pub async fn start(&mut self) -> Result<Start> {
        self.stop().await?;
        let begun = Instant::now();
        self.hypervisor.respawn().await?;
        first_answer(&mut self.hypervisor).await?;
        let answered = begun.elapsed();
        let proxied = match self.requests.last() {
            Some(request) => {
                let begun = Instant::now();
                Client::connect(self.address()).await?.ask(request).await?;
                Some(begun.elapsed())
            }
            None => None,
        };
        usage::quiet(self.pid()).await?;
        Ok(Start {
            answered,
            proxied,
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
        usage::memory(self.pid())
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
    let request = client::request(address, "");
    let request = String::from_utf8(request)?.replace("/small", "/health");
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline && hypervisor.process().exited()?.is_none() {
        if let Ok(mut client) = Client::connect(address).await {
            // It listens before it serves, so that this waits for just the right time.
            let answer = timeout_at(deadline.into(), client.ask(request.as_bytes()));
            if answer.await.is_ok_and(|answer| answer.is_ok()) {
                return Ok(());
            }
        }
        sleep(Duration::from_millis(1)).await;
    }
    bail!("no answer: {}", hypervisor.process().transcript())
}
