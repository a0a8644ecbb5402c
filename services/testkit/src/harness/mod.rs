//! Starts the real `hypervisor` on a free port, in a folder and an environment of its own.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! # let bin = std::path::Path::new("");
//! use testkit::harness::Hypervisor;
//! // A test of the hypervisor crate gives Path::new(env!("CARGO_BIN_EXE_hypervisor")).
//! let hypervisor = Hypervisor::builder(bin)
//!     .env("HYPERVISOR_REGISTRATION", "open")
//!     .config("[proxy]\nresponse_secs = 2")
//!     .start()
//!     .await?;
//! let health = hypervisor.client().get("/health").await?;
//! assert_eq!(health.status, 200);
//! # Ok(())
//! # }
//! ```
//!
//! Its sandboxes run the `sandbox` program beside the `hypervisor` program: `target/debug/sandbox`.
//! A `cargo test` of the whole workspace builds it before any test runs. One of a single crate
//! builds that crate's programs alone, so whoever changed the sandbox, or never built it, runs
//! `cargo build -p sandbox` first.

mod builder;

pub use builder::Builder;

use crate::client::Client;
use crate::port::Port;
use crate::process::Process;
use crate::tls::Authority;
use crate::wait::{DEADLINE, eventually};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use tempfile::TempDir;

/// A hypervisor with its own port and folder. Dropped, it is killed, and so are its sandboxes.
#[derive(Debug)]
pub struct Hypervisor {
    /// First, so that it ends before its folder goes.
    process: Process,
    bin: PathBuf,
    env: BTreeMap<String, String>,
    port: Port,
    /// Who issued its certificate, if it has one.
    authority: Option<Authority>,
    dir: TempDir,
}

impl Hypervisor {
    /// What is needed to start the program `bin`.
    pub fn builder(bin: &Path) -> Builder {
        Builder::new(bin)
    }

    /// Where browsers find it: `http://localhost:<port>`, or `https://…`.
    pub fn base_url(&self) -> String {
        let scheme = self.authority.as_ref().map_or("http", |_| "https");
        format!("{scheme}://localhost:{}", self.port())
    }

    /// Where a sandbox is that has an origin of its own: `http://<label>.localhost:<port>`.
    pub fn sandbox_url(&self, label: &str) -> String {
        self.base_url().replace("//", &format!("//{label}."))
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port()).into()
    }

    /// A client without cookies.
    pub fn client(&self) -> Client {
        match &self.authority {
            Some(authority) => Client::over_tls(&self.base_url(), authority.trusted()),
            None => Client::new(&self.base_url()),
        }
    }

    /// The folder with its store, its sandboxes' data and its config file.
    pub fn state_dir(&self) -> &Path {
        self.dir.path()
    }

    /// The running program: signals, end and output.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Asks it to end (SIGTERM).
    ///
    /// # Errors
    /// It has ended already.
    pub fn sigterm(&mut self) -> Result<()> {
        self.process.sigterm()
    }

    /// Kills it (SIGKILL).
    ///
    /// # Errors
    /// It has ended already.
    pub fn kill9(&mut self) -> Result<()> {
        self.process.kill9()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It has not ended in time.
    pub async fn wait_exit(&mut self) -> Result<ExitStatus> {
        self.process.wait_exit().await
    }

    /// The enrolment link that its first start prints.
    ///
    /// # Errors
    /// It printed none in time.
    pub async fn enrolment_link(&self) -> Result<String> {
        let is_link = |word: &str| word.contains("/register?invite=");
        let sentence = self.process.stdout_line(is_link).await?;
        let mut words = sentence.split_whitespace();
        let link = words.find(|word| is_link(word));
        Ok(link.context("a line with a link")?.to_owned())
    }

    /// Starts it once more on the same folder and port, after SIGTERM if it still runs.
    ///
    /// # Errors
    /// It did not end, or is not healthy again.
    pub async fn restart(&mut self) -> Result<()> {
        self.respawn().await?;
        self.healthy().await
    }

    /// As [`Hypervisor::restart`], but does not wait until it is healthy: for starts that fail.
    ///
    /// # Errors
    /// It did not end, or could not be started.
    pub async fn respawn(&mut self) -> Result<()> {
        if self.process.exited()?.is_none() {
            self.process.sigterm()?;
            self.process.wait_exit().await?;
        }
        self.process = Process::spawn(self.command(&["serve"]))?;
        Ok(())
    }

    /// Sets a variable of its next start and of [`Hypervisor::cli`].
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.insert(name.into(), value.into());
    }

    /// Removes a variable from its next start and from [`Hypervisor::cli`].
    pub fn remove_env(&mut self, name: &str) {
        self.env.remove(name);
    }

    /// Runs one of its operator commands, such as `["invite", "--json"]`.
    ///
    /// # Errors
    /// It could not be started, or has not ended in time.
    pub async fn cli(&self, args: &[&str]) -> Result<Output> {
        let mut command = tokio::process::Command::from(self.command(args));
        command.kill_on_drop(true);
        tokio::time::timeout(DEADLINE, command.output())
            .await
            .with_context(|| format!("{args:?} did not end"))?
            .with_context(|| format!("start {args:?}"))
    }

    /// Waits until `GET /health` answers 200.
    ///
    /// # Errors
    /// It ended instead, or took too long; the message has its output.
    pub async fn healthy(&mut self) -> Result<()> {
        let client = self.client();
        let prefix = self.env.get("HYPERVISOR_GATEWAY_PREFIX");
        let health = format!("{}/health", prefix.map_or("", String::as_str));
        let process = &mut self.process;
        let ended = eventually("GET /health", async || match process.exited() {
            Ok(None) => match client.get(&health).await {
                Ok(response) if response.status == 200 => Some(false),
                _ => None,
            },
            _ => Some(true),
        });
        if ended.await.with_context(|| self.process.transcript())? {
            let status = self.wait_exit().await?;
            bail!(
                "it ended at its start, {status}\n{}",
                self.process.transcript()
            );
        }
        Ok(())
    }

    /// One of its commands, not yet started: for one that is to be left alone, or killed.
    pub fn command(&self, args: &[&str]) -> std::process::Command {
        builder::command(&self.bin, self.dir.path(), &self.env, args)
    }
}
