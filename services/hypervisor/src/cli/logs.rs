//! `hypervisor logs`: what a sandbox wrote.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::answer::Answer;
use super::client::Client;
use super::{output, printable, segment};
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;
use std::io::IsTerminal as _;

#[derive(Args)]
pub(super) struct Logs {
    /// The workspace
    workspace: String,
    /// `live` or `dev`
    #[arg(default_value = "live", value_parser = ["live", "dev"])]
    role: String,
    /// So many of its last lines
    #[arg(long, short = 'n', value_name = "N", default_value_t = 200)]
    lines: u64,
    /// Go on with what it writes from now on, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
}

pub(super) async fn logs(client: &Client, logs: &Logs, json: bool) -> Result<Answer> {
    let path = format!(
        "/sandboxes/{}/{}/log?lines={}&follow={}",
        segment(&logs.workspace),
        logs.role,
        logs.lines,
        logs.follow
    );
    let to_terminal = std::io::stdout().is_terminal();
    let print = |event: &[u8]| {
        let Some(data) = event.strip_prefix(b"data:") else {
            return Ok(());
        };
        let data: Value = serde_json::from_slice(data).context("the gateway sent no JSON")?;
        let line = data["line"].as_str().unwrap_or_default();
        let text = match (json, to_terminal) {
            (true, _) => printable::json(&data, true),
            // It may be anything: a terminal shows it, and does nothing else with it.
            (false, true) => printable::lines(line).into_owned(),
            (false, false) => line.to_owned(),
        };
        Ok(output::answer(&format!("{text}\n"))?)
    };
    client.lines(&path, print).await?;
    Ok(Answer::written())
}
