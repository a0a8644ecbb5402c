//! Waiting for a condition instead of for a time.

use anyhow::{Result, bail};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a test waits for something that will happen: long enough for a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Asks `poll` again and again until it has a result.
///
/// # Errors
/// Nothing came within [`DEADLINE`]; `what` says what was waited for.
pub async fn eventually<T>(what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(response) = poll().await {
            return Ok(response);
        }
        if Instant::now() > deadline {
            bail!("waited {DEADLINE:?} for {what}");
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// As [`eventually`], for a condition that holds or not.
///
/// # Panics
/// It does not hold within [`DEADLINE`]; `what` says what was waited for.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let waited = eventually(what, async || condition().then_some(())).await;
    assert!(waited.is_ok(), "waited in vain: {what}");
}
