//! `hypervisor machines`.

use super::answer::Answer;
use super::client::Client;
use anyhow::Result;

/// Lists them.
pub(super) async fn machines(client: &Client) -> Result<Answer> {
    Ok(Answer::list(client.get("/machines").await?, COLUMNS))
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
