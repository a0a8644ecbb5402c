//! `hypervisor sandboxes`, `access` and `swap`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::answer::Answer;
use super::client::Client;
use super::{probation, segment};
use crate::config::DEFAULT_WORKSPACE;
use crate::routes::SwapOrder;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Args)]
pub(super) struct Sandboxes {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Start a sandbox and wait until it is healthy
    Start(Place),
    /// Stop a sandbox; no request starts it until somebody does
    Stop(Place),
}

#[derive(Args)]
pub(super) struct Place {
    /// The workspace
    workspace: String,
    /// `live` or `dev`
    #[arg(value_parser = ["live", "dev"])]
    role: String,
}

impl Place {
    /// As a part of a path.
    fn path(&self) -> String {
        format!("{}/{}", segment(&self.workspace), self.role)
    }
}

pub(super) async fn sandboxes(client: &Client, sandboxes: Sandboxes) -> Result<Answer> {
    let (place, verb) = match sandboxes.verb {
        None => return Ok(Answer::list(client.get("/sandboxes").await?, COLUMNS)),
        Some(Verb::Start(place)) => (place, "start"),
        Some(Verb::Stop(place)) => (place, "stop"),
    };
    let path = format!("/sandboxes/{}/{verb}", place.path());
    Ok(client.post(&path, &json!({})).await?.into())
}

#[derive(Args)]
pub(super) struct Access {
    #[command(flatten)]
    place: Place,
    /// `members` of the workspace, all `users` who are logged in, or `public`: everybody
    #[arg(value_parser = ["members", "users", "public"])]
    access: Option<String>,
}

pub(super) async fn access(client: &Client, order: Access) -> Result<Answer> {
    let place = order.place;
    let reply = match order.access {
        None => client.get(&format!("/access/{}", place.path())).await?,
        Some(access) => {
            let order = json!({ "role": place.role, "access": access });
            client.act_on(&place.workspace, "set_access", order).await?
        }
    };
    Ok(reply.into())
}

#[derive(Args)]
pub(super) struct Swap {
    /// The workspace
    #[arg(default_value = DEFAULT_WORKSPACE)]
    workspace: String,
    /// Swap only if the routes are still at this generation
    #[arg(long, value_name = "N")]
    expect_generation: Option<u64>,
    /// Seconds until WebSockets of the old generation are closed
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain_secs: u64,
    /// Swap even if the dev sandbox is not healthy
    #[arg(long)]
    force: bool,
    /// Have the gateway watch live for so long and swap back if it falls ill; exits with 1 then
    ///
    /// The gateway watches also when this command is gone, or itself was restarted.
    #[arg(long, value_name = "SECONDS")]
    probation: Option<u64>,
}

pub(super) async fn swap(client: &Client, swap: Swap) -> Result<Answer> {
    let order = SwapOrder {
        expect_generation: swap.expect_generation,
        drain_secs: swap.drain_secs,
        force: swap.force,
        probation_secs: swap.probation,
    };
    if swap.probation.is_some() {
        return Ok(probation::swap(client, &swap.workspace, order)
            .await?
            .into());
    }
    let order = serde_json::to_value(order)?;
    let swapped = client.act_on(&swap.workspace, "swap", order).await?;
    Ok(swapped.into())
}

const COLUMNS: &[&str] = &[
    "workspace",
    "members",
    "role",
    "sandbox",
    "status",
    "address",
    "requests",
    "idle_secs",
    "release",
    "generation",
    "usage.cpu_secs",
    "usage.memory_bytes",
    "usage.disk_bytes",
    "stopped_by",
    "access",
    "url",
    "probation_secs",
];
