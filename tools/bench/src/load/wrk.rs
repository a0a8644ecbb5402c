//! wrk: HTTP/1.1.

use super::{Load, Outcome, Tools};
use crate::target::Target;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::process::Command;

/// Has it print what can be read.
pub(super) const SCRIPT: &str = include_str!("wrk.lua");
/// The script's file.
pub(super) const FILE: &str = "wrk.lua";

#[derive(Deserialize)]
struct Printed {
    requests: u64,
    duration_us: u64,
    p50_us: f64,
    p99_us: f64,
    errors: BTreeMap<String, u64>,
}

pub(super) async fn run(
    tools: &Tools,
    load: &Load,
    target: &Target,
    time: Duration,
) -> Result<Outcome> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads=2", "--timeout=5s"])
        .arg(format!("--connections={}", load.connections))
        .arg(format!("--duration={}s", time.as_secs()))
        .arg(format!("--header=Host: {}", target.host()))
        .arg(format!("--header=Cookie: {}", target.cookie))
        .arg("--script")
        .arg(tools.dir.path().join(FILE))
        .arg(target.local_url(load.path))
        .arg("--");
    if let Some(size) = load.body {
        wrk.args(["body", &size.to_string()]);
    } else if let Some(file) = &tools.visitors {
        wrk.arg("visitors").arg(file);
    }
    parse(&tools.output(wrk).await?)
}

/// The line that our script has wrk print after its own.
fn parse(output: &str) -> Result<Outcome> {
    let line = output.lines().find(|line| line.starts_with('{'));
    let line = line.with_context(|| format!("wrk printed no result:\n{output}"))?;
    let printed: Printed = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let errors: Vec<_> = printed
        .errors
        .iter()
        .filter(|(_, count)| **count > 0)
        .collect();
    ensure!(errors.is_empty(), "wrk counts errors: {errors:?}");
    Ok(Outcome {
        requests: printed.requests,
        took: Duration::from_micros(printed.duration_us),
        p50: printed.p50_us / 1e3,
        p99: printed.p99_us / 1e3,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    const OUTPUT: &str = "Running 1s test @ http://127.0.0.1:8080/\n  2 threads and 64 connections\n\
        Requests/sec: 208000.12\n\
        {\"requests\":208123,\"duration_us\":1000600,\"p50_us\":290,\"p99_us\":1300,\
        \"errors\":{\"connect\":0,\"read\":0,\"status\":0}}\n";

    #[test]
    fn a_result_is_read_from_its_line() {
        let outcome = parse(OUTPUT).unwrap();
        assert_eq!(outcome.requests, 208_123);
        assert_eq!((outcome.p50, outcome.p99), (0.29, 1.3));
        assert_eq!(outcome.took.as_micros(), 1_000_600);
    }

    #[test]
    fn errors_and_missing_results_are_told() {
        let error = parse(&OUTPUT.replace("\"read\":0", "\"read\":2")).unwrap_err();
        assert_eq!(error.to_string(), "wrk counts errors: [(\"read\", 2)]");
        let error = parse("unable to connect to 127.0.0.1").unwrap_err();
        assert!(error.to_string().contains("unable to connect"), "{error}");
    }
}
