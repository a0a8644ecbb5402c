//! When a process has come to rest.

use anyhow::Result;
use bench::proc::cpu;
use std::time::Duration;
use tokio::time::sleep;

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
