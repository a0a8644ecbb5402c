//! `hypervisor members`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::find;
use crate::cli::answer::Answer;
use crate::cli::client::Client;
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Args)]
pub(in crate::cli) struct Members {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List who is a member of which workspace, as `members` alone does
    List {
        /// This workspace alone
        workspace: Option<String>,
    },
    /// Make someone a member of a workspace
    Add(Membership),
    /// Take someone out of a workspace; what they have open there ends
    Remove(Membership),
}

#[derive(Args)]
struct Membership {
    /// The workspace
    workspace: String,
    /// The account
    username: String,
}

pub(in crate::cli) async fn members(client: &Client, members: Members) -> Result<Answer> {
    match members.verb {
        None => list(client, None).await,
        Some(Verb::List { workspace }) => list(client, workspace.as_deref()).await,
        Some(Verb::Add(of)) => {
            let order = json!({
                "act": "add_member",
                "workspace": of.workspace,
                "username": of.username,
            });
            client.act(&order).await?;
            Ok(done(&of, "is a member of"))
        }
        Some(Verb::Remove(of)) => {
            let user = find(client, &of.username).await?;
            let order = json!({
                "act": "remove_member",
                "workspace": of.workspace,
                "user_id": user.id,
            });
            client.act(&order).await?;
            Ok(done(&of, "is no longer a member of"))
        }
    }
}

fn done(of: &Membership, what: &str) -> Answer {
    let Membership {
        workspace,
        username,
    } = of;
    let value = json!({ "workspace": workspace, "username": username });
    Answer::sentence(format!("{username} {what} {workspace}"), value)
}

async fn list(client: &Client, only: Option<&str>) -> Result<Answer> {
    let workspaces = client.get("/workspaces").await?;
    let workspaces = workspaces.as_array().map_or(&[] as &[Value], Vec::as_slice);
    let wanted = |workspace: &&Value| only.is_none_or(|name| workspace["name"] == name);
    let mut rows = Vec::new();
    for workspace in workspaces.iter().filter(wanted) {
        for member in workspace["members"].as_array().into_iter().flatten() {
            rows.push(json!({
                "workspace": workspace["name"],
                "username": member["username"],
                "user_id": member["user_id"],
            }));
        }
    }
    if let Some(name) = only
        && !workspaces.iter().any(|workspace| workspace["name"] == name)
    {
        bail!("there is no workspace {name}; `hypervisor sandboxes` lists them");
    }
    Ok(Answer::list(rows.into(), &["workspace", "username"]))
}
