//! `hypervisor audit`: the audit log as JSON lines.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use crate::cli::answer::Answer;
use crate::cli::client::Client;
use crate::cli::{output, printable, segment};
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;
use std::fmt::Write as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Args)]
pub(in crate::cli) struct Audit {
    /// Only what came after the entry with this id, for a copy that is to go on
    #[arg(long, value_name = "ID", default_value_t = 0)]
    after: u64,
    /// Only what happened at that time or later, such as 2026-11-27 or 2026-11-27T04:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<OffsetDateTime>,
}

/// A moment, or the beginning of a day in UTC.
fn time(text: &str) -> Result<OffsetDateTime, String> {
    let day = format!("{text}T00:00:00Z");
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let time = parse(text).or_else(|| parse(&day));
    time.ok_or_else(|| "write it as 2026-11-27 or 2026-11-27T04:00:00Z".to_owned())
}

pub(in crate::cli) async fn audit(client: &Client, audit: &Audit) -> Result<Answer> {
    let mut path = format!("/audit?after={}", audit.after);
    if let Some(since) = audit.since {
        let _ = write!(path, "&since={}", segment(&since.format(&Rfc3339)?));
    }
    let print = |line: &[u8]| {
        let entry: Value = serde_json::from_slice(line).context("the gateway sent no JSON")?;
        Ok(output::answer(&format!(
            "{}\n",
            printable::json(&entry, true)
        ))?)
    };
    client.lines(&path, print).await?;
    Ok(Answer::written())
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(time("2026-11-27"), time("2026-11-27T01:00:00+01:00"));
        assert!(time("yesterday").is_err());
    }
}
