//! `hypervisor releases`, `promote`, `undo`, `fork`, `snapshot` and what else changes a workspace.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::answer::Answer;
use super::client::Client;
use super::probation;
use super::segment;
use crate::config::DEFAULT_WORKSPACE;
use crate::routes::PromoteOrder;
use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The workspace that is meant if none is named.
#[derive(Args)]
pub(super) struct Of {
    /// The workspace
    #[arg(default_value = DEFAULT_WORKSPACE)]
    workspace: String,
}

#[derive(Subcommand)]
pub(super) enum ReleaseVerb {
    /// Add a command as a release, and give it to dev
    ///
    /// For sandboxes that are processes; on NixOS a deployment adds releases.
    Add {
        /// The workspace
        workspace: String,
        /// A variable of its environment, as NAME=VALUE; no place for secrets
        #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
        env: Vec<(String, String)>,
        /// The program and its arguments, after `--`; by default our sandbox service
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Give dev a release
    Give {
        /// The workspace
        workspace: String,
        /// The release's number
        release: u64,
    },
}

fn variable(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=');
    let (name, value) = split.ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Args)]
pub(super) struct Promote {
    #[command(flatten)]
    of: Of,
    /// The release to promote; by default dev's
    #[arg(long, value_name = "N")]
    release: Option<u64>,
    /// Do not try it first in dev, on a copy of live's data
    #[arg(long)]
    no_rehearsal: bool,
    /// Promote only if the workspace is still at this generation
    #[arg(long, value_name = "N")]
    expect_generation: Option<u64>,
    /// Have the gateway watch live for so long and undo the promotion if it falls ill; exits with 1 then
    #[arg(long, value_name = "SECONDS")]
    probation: Option<u64>,
    /// Put live's data back as well then, as they were before the promotion
    #[arg(long, requires = "probation")]
    restore_data: bool,
}

#[derive(Args)]
pub(super) struct Undo {
    #[command(flatten)]
    of: Of,
    /// Put live's data back as well, as they were before the promotion
    #[arg(long)]
    with_data: bool,
}

#[derive(Args)]
pub(super) struct Snapshot {
    #[command(flatten)]
    of: Of,
    /// `live` or `dev`
    #[arg(default_value = "live", value_parser = ["live", "dev"])]
    role: String,
}

#[derive(Args)]
pub(super) struct Backup {
    #[command(flatten)]
    of: Of,
    /// `live` or `dev`
    #[arg(default_value = "live", value_parser = ["live", "dev"])]
    role: String,
    #[command(flatten)]
    pub(super) store: super::backup::Store,
}

#[derive(Args)]
pub(super) struct Restore {
    /// The workspace
    #[arg(required_unless_present = "from")]
    workspace: Option<String>,
    /// `live` or `dev`
    #[arg(required_unless_present = "from", value_parser = ["live", "dev"])]
    role: Option<String>,
    /// The snapshot or backup; `hypervisor snapshots` and `hypervisor backups` list them
    #[arg(required_unless_present = "from")]
    snapshot: Option<String>,
    /// Try it first in dev, which gets the same data
    #[arg(long)]
    rehearse: bool,
    /// The copy that the store is to become
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workspace", "rehearse"])]
    pub(super) from: Option<PathBuf>,
}

pub(super) async fn restore(client: &Client, restore: &Restore) -> Result<Answer> {
    let order = json!({
        "role": restore.role,
        "snapshot": restore.snapshot,
        "rehearse": restore.rehearse,
    });
    let workspace = restore.workspace.as_deref().unwrap_or_default();
    Ok(act(client, "restore", workspace, order).await?.into())
}

pub(super) async fn release(client: &Client, verb: ReleaseVerb) -> Result<Answer> {
    let reply = match verb {
        ReleaseVerb::Add {
            workspace,
            env,
            command,
        } => {
            let env: BTreeMap<_, _> = env.into_iter().collect();
            let command = from_here(command)?;
            let order = json!({ "command": command, "env": env });
            order_at(client, "releases", &workspace, &order).await?
        }
        ReleaseVerb::Give { workspace, release } => {
            order_at(client, "give", &workspace, &json!({ "release": release })).await?
        }
    };
    Ok(reply.into())
}

/// A program with a folder in its name is meant from here, wherever the gateway is.
fn from_here(mut command: Vec<String>) -> Result<Vec<String>> {
    if let Some(program) = command.first_mut().filter(|it| it.contains('/')) {
        let absolute = std::path::absolute(&*program)?.into_os_string();
        let absolute = absolute.into_string();
        *program = absolute.map_err(|path| anyhow!("{}: give a path in UTF-8", path.display()))?;
    }
    Ok(command)
}

pub(super) async fn promote(client: &Client, promote: Promote) -> Result<Answer> {
    let order = PromoteOrder {
        expect_generation: promote.expect_generation,
        release: promote.release,
        rehearse: !promote.no_rehearsal,
        probation_secs: promote.probation,
        restore_data: promote.restore_data,
    };
    let workspace = &promote.of.workspace;
    let promoted = act(client, "promote", workspace, serde_json::to_value(order)?).await?;
    if promote.probation.is_none() {
        return Ok(promoted.into());
    }
    let promoted = probation::of_promotion(client, workspace, promoted).await?;
    Ok(promoted.into())
}

pub(super) async fn undo(client: &Client, undo: Undo) -> Result<Answer> {
    let order = json!({ "with_data": undo.with_data });
    let undone = act(client, "undo", &undo.of.workspace, order).await?;
    Ok(undone.into())
}

pub(super) async fn fork(client: &Client, of: &Of) -> Result<Answer> {
    let forked = act(client, "fork", &of.workspace, json!({})).await?;
    Ok(forked.into())
}

pub(super) async fn snapshot(client: &Client, snapshot: &Snapshot) -> Result<Answer> {
    let (workspace, role) = (segment(&snapshot.of.workspace), &snapshot.role);
    let path = format!("/snapshots/{workspace}/{role}");
    Ok(client.post(&path, &json!({})).await?.into())
}

pub(super) async fn back_up(client: &Client, backup: &Backup) -> Result<Answer> {
    let (workspace, role) = (segment(&backup.of.workspace), &backup.role);
    let path = format!("/backups/{workspace}/{role}");
    Ok(client.post(&path, &json!({})).await?.into())
}

/// The workspace's releases, with who has them.
pub(super) async fn releases(client: &Client, of: &Of) -> Result<Answer> {
    let mut view = view(client, of).await?;
    let (live, dev) = (view["live_release"].take(), view["dev_release"].take());
    let mut releases = view["releases"].take();
    for release in releases.as_array_mut().into_iter().flatten() {
        let number = &release["number"];
        let roles = [("live", &live), ("dev", &dev)];
        let of = roles.iter().filter(|(_, it)| *it == number);
        let of: Vec<_> = of.map(|(role, _)| *role).collect();
        release["of"] = of.join(", ").into();
    }
    Ok(Answer::list(releases, RELEASES))
}

/// Both volumes' snapshots, as rows.
pub(super) async fn snapshots(client: &Client, of: &Of) -> Result<Answer> {
    let mut view = view(client, of).await?;
    Ok(Answer::list(of_both(view["snapshots"].take()), SNAPSHOTS))
}

/// Both volumes' backups, as rows.
pub(super) async fn backups(client: &Client, of: &Of) -> Result<Answer> {
    let path = format!("/backups/{}", segment(&of.workspace));
    let mut rows = of_both(client.get(&path).await?);
    for row in rows.as_array_mut().into_iter().flatten() {
        let databases = row["databases"].as_array();
        let damaged = databases.map_or(0, |all| {
            all.iter().filter(|it| !it["fault"].is_null()).count()
        });
        row["damaged"] = damaged.into();
    }
    Ok(Answer::list(rows, BACKUPS))
}

/// What each role has, as rows.
fn of_both(mut roles: Value) -> Value {
    let mut rows = Vec::new();
    for role in ["live", "dev"] {
        let kept = roles[role].take();
        for mut row in kept.as_array().cloned().unwrap_or_default() {
            row["role"] = role.into();
            rows.push(row);
        }
    }
    rows.into()
}

/// What was done to the workspace.
pub(super) async fn history(client: &Client, of: &Of) -> Result<Answer> {
    let history = view(client, of).await?["history"].take();
    Ok(Answer::list(history, HISTORY))
}

async fn view(client: &Client, of: &Of) -> Result<Value> {
    let path = format!("/workspaces/{}", segment(&of.workspace));
    client.get(&path).await
}

async fn act(client: &Client, name: &str, workspace: &str, order: Value) -> Result<Value> {
    let done = client.act_on(workspace, name, order).await;
    done.with_context(|| format!("{name} of {workspace}"))
}

async fn order_at(client: &Client, verb: &str, workspace: &str, order: &Value) -> Result<Value> {
    let path = format!("/{verb}/{}", segment(workspace));
    let done = client.post(&path, order).await;
    done.with_context(|| format!("{verb} of {workspace}"))
}

const RELEASES: &[&str] = &["number", "of", "what", "added_at", "added_by"];
const SNAPSHOTS: &[&str] = &[
    "role",
    "id",
    "reason",
    "bytes",
    "files",
    "frozen_ms",
    "shares_blocks",
];
const BACKUPS: &[&str] = &[
    "role",
    "id",
    "bytes",
    "new_bytes",
    "files",
    "frozen_ms",
    "damaged",
];
const HISTORY: &[&str] = &[
    "at",
    "kind",
    "by",
    "sandbox",
    "from_release",
    "to_release",
    "generation",
    "held_ms",
    "outcome",
    "snapshot",
    "detail",
];
