//! `--probation`: a swap or promotion that the gateway watches, and what comes of it.

use super::client::{Client, ClientError};
use super::{output, segment};
use crate::routes::SwapOrder;
use anyhow::{Error, Result, bail};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const PAUSE: Duration = Duration::from_millis(500);

/// How long a gateway may be away, such as for a restart.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Swaps, and waits until the probation is over; also over a restart of the gateway.
pub(super) async fn swap(client: &Client, workspace: &str, mut order: SwapOrder) -> Result<Value> {
    let before = routes(client, workspace).await?;
    // The same order twice is one swap, and not one back and forth.
    let generation = before.as_ref().map(|(generation, ..)| *generation);
    order.expect_generation = order.expect_generation.or(generation);
    let order = serde_json::to_value(order)?;
    let mut swapped = match (client.act_on(workspace, "swap", order).await, before) {
        (Ok(swapped), _) => swapped,
        (Err(error), Some((generation, live, dev))) if !ClientError::is_refusal(&error) => {
            output::note("the gateway went away before it answered; waiting for it");
            json!({ "workspace": workspace, "generation": generation + 1, "live": dev, "dev": live })
        }
        (Err(error), _) => return Err(error),
    };
    swapped["probation"] = outcome(client, workspace, &swapped).await?;
    Ok(swapped)
}

/// Waits until the probation of a promotion is over, also over a restart of the gateway.
pub(super) async fn of_promotion(
    client: &Client,
    workspace: &str,
    mut promoted: Value,
) -> Result<Value> {
    promoted["probation"] = outcome(client, workspace, &promoted).await?;
    Ok(promoted)
}

/// The workspace's generation, and the sandboxes that are live and dev.
async fn routes(client: &Client, workspace: &str) -> Result<Option<(u64, Value, Value)>> {
    let rows = client.get("/sandboxes").await?;
    let rows = rows.as_array().map_or(&[] as &[Value], |rows| rows);
    let of = |role: &str| {
        let mut rows = rows.iter();
        rows.find(|row| row["workspace"] == workspace && row["role"] == role)
    };
    Ok(of("live").zip(of("dev")).and_then(|(live, dev)| {
        let generation = live["generation"].as_u64()?;
        Some((generation, live["sandbox"].clone(), dev["sandbox"].clone()))
    }))
}

/// Asks the gateway for the probation of the change that answered `swapped`, until it is over.
async fn outcome(client: &Client, workspace: &str, swapped: &Value) -> Result<Value> {
    let path = format!("/probations/{}", segment(workspace));
    let generation = &swapped["generation"];
    if let Some(until) = swapped["probation"]["until"].as_str() {
        output::note(&format!(
            "now at generation {generation}; the gateway watches live until {until} and takes this back if it falls ill, also without this command"
        ));
    }
    let mut heard = Instant::now();
    loop {
        match client.get(&path).await {
            Ok(probation) if is_of(&probation, swapped) => {
                heard = Instant::now();
                if let Some(outcome) = probation["outcome"].as_str() {
                    verdict(outcome, &probation, swapped)?;
                    return Ok(outcome.into());
                }
            }
            Ok(probation) => bail!(
                "the last change on probation is that to generation {}, and not to {generation}; look at `hypervisor history`",
                probation["generation"]
            ),
            Err(error) if ClientError::is_refusal(&error) || heard.elapsed() > TIMEOUT => {
                return Err(nothing_known(error));
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

/// The change itself was ordered, and done: whatever ended the watch says nothing of it.
fn nothing_known(error: Error) -> Error {
    let said = "nothing is known of the probation; look at `hypervisor sandboxes`, where one that is under way is shown";
    if ClientError::is_refusal(&error) {
        return error.context(said);
    }
    ClientError::Unknown(format!("{said}: {error:#}")).into()
}

/// Whether it is the probation of this change: what is done to dev meanwhile counts the generation
/// on, but not the time.
fn is_of(probation: &Value, changed: &Value) -> bool {
    match &changed["probation"]["until"] {
        Value::Null => probation["generation"] == changed["generation"],
        until => probation["until"] == *until,
    }
}

fn verdict(outcome: &str, probation: &Value, swapped: &Value) -> Result<()> {
    let why = text(&probation["detail"]);
    match outcome {
        "passed" => Ok(()),
        "taken_back" => {
            let back = match &swapped["from_release"] {
                Value::Null => format!(
                    "the swap was taken back, and {} is live again",
                    text(&swapped["dev"])
                ),
                release => {
                    format!("the promotion was undone, and live has release {release} again")
                }
            };
            bail!("live was not healthy on probation ({why}); {back}")
        }
        _ => bail!("the probation is over before its time: {why}; look at `hypervisor sandboxes`"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
