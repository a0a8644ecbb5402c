//! `hypervisor users`, `invite` and `recover`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::answer::Answer;
use super::client::Client;
use super::once::Once;
use super::{output, segment};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

#[derive(Args)]
pub(super) struct Invite {
    /// The person becomes an admin: sees and steers every workspace
    #[arg(long)]
    admin: bool,
    /// Only a person of this name can use it, as it takes for a declared member's
    #[arg(long)]
    username: Option<String>,
}

#[derive(Args)]
pub(super) struct Recover {
    /// The account
    username: String,
}

pub(super) async fn users(client: &Client) -> Result<Answer> {
    Ok(Answer::list(client.get("/users").await?, COLUMNS))
}

pub(super) async fn invite(client: &Client, invite: &Invite) -> Result<Answer> {
    output::is_seen()?;
    let order = json!({ "admin": invite.admin, "username": invite.username });
    Ok(once("the invite", client.post("/invites", &order).await?))
}

pub(super) async fn recover(client: &Client, recover: &Recover) -> Result<Answer> {
    output::is_seen()?;
    let path = format!("/recover/{}", segment(&recover.username));
    let reply = client.post(&path, &json!({})).await?;
    Ok(once("the recovery code", reply))
}

fn once(name: &'static str, reply: Value) -> Answer {
    let ends = reply["expires_at"].as_str().unwrap_or("-").to_owned();
    Answer::from(reply).once(Once { name, ends })
}

const COLUMNS: &[&str] = &[
    "username",
    "admin",
    "passkeys",
    "recovery_codes_left",
    "created_at",
];
