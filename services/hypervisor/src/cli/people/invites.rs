//! `hypervisor invites` and `invite`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use crate::cli::answer::Answer;
use crate::cli::client::Client;
use crate::cli::once::Once;
use crate::cli::output;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Args)]
pub(in crate::cli) struct Invites {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List the invites and who used them, as `invites` alone does
    List,
    /// Print a link with which one more person can register, as `hypervisor invite` does
    Create(Create),
    /// Make an invite useless
    Revoke {
        /// Its id, as `hypervisor invites` lists it
        id: String,
    },
}

#[derive(Args)]
pub(in crate::cli) struct Create {
    /// Only a person of this name can use it, as it takes for a declared member's
    #[arg(long)]
    username: Option<String>,
    /// The person becomes a member of this workspace, instead of getting a new one
    #[arg(long)]
    workspace: Option<String>,
    /// The person becomes an admin: sees and steers every workspace
    #[arg(long)]
    admin: bool,
    /// For how long it is good; by default auth.invite_hours
    #[arg(long, value_name = "N")]
    hours: Option<u64>,
}

pub(in crate::cli) async fn invites(client: &Client, invites: Invites) -> Result<Answer> {
    match invites.verb {
        None | Some(Verb::List) => Ok(Answer::list(client.get("/invites").await?, COLUMNS)),
        Some(Verb::Create(create)) => invite(client, &create).await,
        Some(Verb::Revoke { id }) => {
            client
                .act(&json!({ "act": "revoke_invite", "invite_id": id }))
                .await?;
            let said = format!("the invite {id} lets nobody in any more");
            Ok(Answer::sentence(said, json!({ "id": id })))
        }
    }
}

pub(in crate::cli) async fn invite(client: &Client, create: &Create) -> Result<Answer> {
    output::is_seen()?;
    let order = json!({
        "act": "invite",
        "username": create.username,
        "workspace": create.workspace,
        "admin": create.admin,
        "hours": create.hours,
    });
    let invite = client.act(&order).await?;
    let id = &invite["id"];
    let once = Once::revoked_by(
        "the invite",
        json!({ "act": "revoke_invite", "invite_id": id }),
        format!(
            "hypervisor invites revoke {}",
            id.as_str().unwrap_or_default()
        ),
    );
    Ok(Answer::from(invite).once(once))
}

const COLUMNS: &[&str] = &[
    "id",
    "state",
    "username",
    "workspace",
    "admin",
    "created_by",
    "created_at",
    "expires_at",
    "used_by",
    "used_at",
];
