//! HTTP load by wrk, and what it measured.

use crate::goal::Goal;
use crate::target::Target;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

const SCRIPT: &str = include_str!("wrk.lua");

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
    /// The size of the answer's body.
    pub answer: usize,
    /// What is wanted of the figures.
    pub goals: &'static [Goal],
    /// Whether each request has a connection of its own.
    pub fresh: bool,
}

/// What wrk measured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Outcome {
    /// Answers.
    pub requests: u64,
    duration_us: u64,
    /// The median latency.
    pub p50_us: u64,
    /// The latency that one in a hundred exceeds.
    pub p99_us: u64,
    /// What went wrong.
    pub errors: Errors,
}

impl Outcome {
    /// How long it took.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.duration_us)
    }
}

/// What went wrong, by kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Errors {
    connect: u64,
    read: u64,
    write: u64,
    status: u64,
    timeout: u64,
}

impl Errors {
    /// How much went wrong.
    pub fn total(&self) -> u64 {
        self.connect + self.read + self.write + self.status + self.timeout
    }
}

/// wrk, with the script that has it print what can be read.
#[derive(Debug)]
pub struct Wrk {
    script: PathBuf,
}

impl Wrk {
    /// Writes the script into this folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(dir: &Path) -> Result<Self> {
        let script = dir.join("wrk.lua");
        std::fs::write(&script, SCRIPT).context("write wrk's script")?;
        Ok(Self { script })
    }

    /// Puts `target` under `load` for `time`.
    ///
    /// # Errors
    /// wrk could not be started or failed.
    pub async fn run(&self, load: &Load, target: &Target, time: Duration) -> Result<Outcome> {
        let mut wrk = tokio::process::Command::new("wrk");
        // One thread for each of the two processors, but never one without a connection.
        wrk.arg(format!("--threads={}", load.connections.min(2)))
            .arg(format!("--connections={}", load.connections))
            .arg(format!("--duration={}s", time.as_secs()))
            .arg("--timeout=5s")
            .arg(format!("--header=Host: {}", target.host()))
            .arg(format!("--header=Cookie: {}", target.cookie));
        if load.fresh {
            wrk.arg("--header=Connection: close");
        }
        wrk.arg("--script").arg(&self.script);
        wrk.arg(format!("http://{}{}", target.address, load.path));
        wrk.arg("--").args(load.body.map(|size| size.to_string()));
        wrk.stdin(Stdio::null()).kill_on_drop(true);
        let output = wrk.output().await.context("start wrk")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr));
        }
        parse(&text)
    }
}

/// Checks that `target` answers this load as it should, so that no redirect or error page is
/// measured in its place.
///
/// # Errors
/// It answers otherwise.
pub async fn check(load: &Load, target: &Target) -> Result<()> {
    let method = load.body.map_or(http::Method::GET, |_| http::Method::POST);
    let mut request = target
        .client()
        .request(method, load.path)
        .header("cookie", &target.cookie);
    if let Some(size) = load.body {
        request = request.body(vec![b'x'; size]);
    }
    let answer = request.send().await?;
    let size = answer.body.len();
    ensure!(
        answer.status == 200 && size == load.answer,
        "{} answers {} with {size} bytes to {}",
        target.name,
        answer.status,
        load.title
    );
    Ok(())
}

/// The line that our script has wrk print after its own.
fn parse(output: &str) -> Result<Outcome> {
    let line = output.lines().find(|line| line.starts_with('{'));
    let line = line.with_context(|| format!("wrk printed no result:\n{output}"))?;
    serde_json::from_str(line).with_context(|| line.to_owned())
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for (count, kind) in [
            (self.connect, "connect"),
            (self.read, "read"),
            (self.write, "write"),
            (self.status, "status"),
            (self.timeout, "timeout"),
        ] {
            if count > 0 {
                write!(text, "{count} {kind} ")?;
            }
        }
        f.write_str(text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::{Load, check, parse};
    use crate::echo::Echo;
    use crate::target::Target;

    const OUTPUT: &str = "Running 1s test @ http://127.0.0.1:8080/\n  2 threads and 64 connections\n\
        Requests/sec: 208000.12\n\
        {\"requests\":208123,\"duration_us\":1000600,\"p50_us\":290,\"p99_us\":1300,\
        \"errors\":{\"connect\":0,\"read\":2,\"write\":0,\"status\":0,\"timeout\":1}}\n";

    #[test]
    fn a_result_is_read_from_its_line() {
        let outcome = parse(OUTPUT).unwrap();
        assert_eq!(outcome.requests, 208_123);
        assert_eq!((outcome.p50_us, outcome.p99_us), (290, 1300));
        assert_eq!(outcome.errors.total(), 3);
        assert_eq!(outcome.errors.to_string(), "2 read 1 timeout");
    }

    #[tokio::test]
    async fn an_answer_of_another_size_is_not_measured() {
        let echo = Echo::start().unwrap();
        let target = Target {
            name: "echo",
            address: echo.address(),
            pid: None,
            cookie: "a=1".into(),
        };
        let load = |answer| Load {
            title: "small".into(),
            path: "/",
            connections: 1,
            body: None,
            answer,
            goals: &[],
            fresh: false,
        };
        check(&load("well".len()), &target).await.unwrap();
        let error = check(&load(100), &target).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "echo answers 200 OK with 4 bytes to small"
        );
    }

    #[test]
    fn output_without_a_result_is_shown() {
        let error = parse("unable to connect to 127.0.0.1").unwrap_err();
        assert!(error.to_string().contains("unable to connect"), "{error}");
    }
}
