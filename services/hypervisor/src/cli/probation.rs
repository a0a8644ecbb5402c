//! `hypervisor swap --probation`: a swap that is taken back when live falls ill.

use super::client::Client;
use super::segment;
use crate::routes::SwapOrder;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const PAUSE: Duration = Duration::from_secs(1);

/// Asks for live's health each second for so many seconds after the swap that answered
/// `swapped`, and swaps back if it fails twice in a row.
pub(super) async fn watch(
    client: &Client,
    workspace: &str,
    swapped: &Value,
    secs: u64,
) -> Result<()> {
    let name = segment(workspace);
    let probe = format!("/sandboxes/{name}/live/probe");
    let end = Instant::now() + Duration::from_secs(secs);
    let mut failed = false;
    loop {
        match client.get(&probe).await {
            Ok(_) if Instant::now() >= end => return Ok(()),
            Ok(_) => failed = false,
            Err(_) if !failed => failed = true,
            Err(cause) => {
                let order = SwapOrder {
                    expect_generation: swapped["undo"]["expect_generation"].as_u64(),
                    force: true,
                    ..SwapOrder::default()
                };
                client
                    .post(&format!("/swap/{name}"), &serde_json::to_value(order)?)
                    .await
                    .with_context(|| {
                        format!(
                            "live is not healthy ({cause:#}), and the swap could not be taken back"
                        )
                    })?;
                bail!(
                    "live was not healthy on probation ({cause:#}); the swap was taken back, and {} is live again",
                    swapped["dev"].as_str().unwrap_or("the other sandbox")
                );
            }
        }
        sleep(PAUSE).await;
    }
}
