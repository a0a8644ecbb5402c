//! `hypervisor machines` and `move`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::answer::Answer;
use super::client::Client;
use super::segment;
use anyhow::Result;
use clap::Args;
use serde_json::json;

#[derive(Args)]
pub(super) struct Move {
    /// The workspace
    workspace: String,
    /// The machine that becomes its home, as `hypervisor machines` calls it
    #[arg(long, value_name = "MACHINE")]
    to: String,
}

/// Lists them.
pub(super) async fn machines(client: &Client) -> Result<Answer> {
    Ok(Answer::list(client.get("/machines").await?, COLUMNS))
}

/// Makes another machine the home of a workspace.
pub(super) async fn move_to(client: &Client, order: &Move) -> Result<Answer> {
    let Move { workspace, to } = order;
    let path = format!("/move/{}", segment(workspace));
    let moved = client.post(&path, &json!({ "to": to })).await?;
    let slot = match moved["slot"].as_u64() {
        Some(slot) => format!(" (slot {slot})"),
        None => String::new(),
    };
    let said = format!(
        "{workspace} is at {to} now{slot}, with its data; {} requests waited for up to {} ms. What {} had of it is kept there as archive {}.",
        moved["held_requests"],
        moved["held_ms"],
        moved["from"].as_str().unwrap_or_default(),
        moved["archive"].as_str().unwrap_or_default(),
    );
    Ok(Answer::sentence(said, moved))
}

const COLUMNS: &[&str] = &[
    "name",
    "is_there",
    "workspaces",
    "slots",
    "free_memory",
    "behind",
    "seen_at",
    "place",
];
