//! What a process uses, as the kernel tells it.

use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::sleep;

/// Clock ticks a second in /proc, on every Linux.
const TICKS: u64 = 100;

/// Bytes of memory that it has resident.
///
/// # Errors
/// There is no such process.
pub fn memory(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    Ok(kib.context("VmRSS")?.parse::<u64>()? * 1024)
}

/// CPU time that it has used.
///
/// # Errors
/// There is no such process.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("a name")?;
    // User and system time are the 14th and 15th field; the name was the second.
    let ticks = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

/// Resolves once it has used no CPU for half a second; after ten seconds in any case.
///
/// # Errors
/// There is no such process.
pub async fn quiet(pid: u32) -> Result<()> {
    let mut before = cpu(pid)?;
    for _ in 0..20 {
        sleep(Duration::from_millis(500)).await;
        let now = cpu(pid)?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}
