//! HTTP load, and what it measured.

mod fresh;
mod h2load;
mod wrk;

use crate::certificate::Certificate;
use crate::goal::Goal;
use crate::target::Target;
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

/// What every connection asks, again and again.
#[derive(Debug, Clone)]
pub struct Load {
    /// What the table says of it.
    pub title: String,
    /// The path.
    pub path: &'static str,
    /// How many connections ask at once.
    pub connections: usize,
    /// The size of a body to POST; none for GET.
    pub body: Option<usize>,
    /// The size of the response's body.
    pub length: usize,
    /// Who asks.
    pub client: Client,
    /// What is wanted of the figures.
    pub goals: &'static [Goal],
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// wrk: HTTP/1.1, connections are kept.
    Wrk,
    /// h2load: HTTP/2, connections are kept, so many requests at once on each.
    H2load(usize),
    /// Ours: a new connection for each request, and with TLS a full handshake.
    Fresh,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Responses, all of them as they should be.
    pub requests: u64,
    /// How long it took.
    pub took: Duration,
    /// The median latency, in milliseconds.
    pub p50: f64,
    /// The latency that one in a hundred exceeds, in milliseconds.
    pub p99: f64,
}

/// What the load generators need: their scripts, and how they speak TLS.
#[derive(Debug)]
pub struct Tools {
    dir: TempDir,
    openssl_conf: Option<PathBuf>,
    visitors: Option<PathBuf>,
}

impl Tools {
    /// Writes the scripts.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn new(certificate: Option<&Certificate>) -> Result<Self> {
        let dir = tempfile::tempdir().context("make a folder")?;
        std::fs::write(dir.path().join(wrk::FILE), wrk::SCRIPT).context("write wrk's script")?;
        Ok(Self {
            dir,
            openssl_conf: certificate.map(Certificate::openssl_conf),
            visitors: None,
        })
    }

    /// Has wrk ask for these hosts, each with its cookie, in turn.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn with_visitors(mut self, visitors: &[(String, String)]) -> Result<Self> {
        let file = self.dir.path().join("visitors");
        let lines = visitors
            .iter()
            .map(|(host, cookie)| format!("{host}\t{cookie}\n"));
        std::fs::write(&file, lines.collect::<String>()).context("write the visitors")?;
        self.visitors = Some(file);
        Ok(self)
    }

    /// Puts `target` under `load` for `time`.
    ///
    /// # Errors
    /// A request was not answered as it should be, or the load generator failed.
    pub async fn run(&self, load: &Load, target: &Target, time: Duration) -> Result<Outcome> {
        let outcome = match load.client {
            Client::Wrk => wrk::run(self, load, target, time).await,
            Client::H2load(streams) => h2load::run(self, load, target, time, streams).await,
            Client::Fresh => fresh::run(load, target, time).await,
        };
        let outcome = outcome.with_context(|| target.name)?;
        ensure!(outcome.requests > 0, "{} answered no request", target.name);
        Ok(outcome)
    }

    /// Runs a load generator to its end; gives what it printed.
    async fn output(&self, mut command: tokio::process::Command) -> Result<String> {
        let program = command.as_std().get_program().display().to_string();
        if let Some(file) = &self.openssl_conf {
            command.env("OPENSSL_CONF", file);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await;
        let output = output.with_context(|| format!("start {program}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program}: {text}{errors}");
        Ok(text)
    }
}
