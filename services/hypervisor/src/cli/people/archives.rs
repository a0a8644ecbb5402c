//! `hypervisor archives`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use crate::cli::answer::Answer;
use crate::cli::client::Client;
use crate::cli::question::Yes;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Args)]
pub(in crate::cli) struct Archives {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List the workspaces that were archived with their last member, as `archives` alone does
    List,
    /// Make a workspace of an archive again
    Restore {
        /// The archive's id
        id: String,
        /// The account that becomes its member
        username: String,
    },
    /// Delete an archive and its data for good
    Delete {
        /// The archive's id
        id: String,
        #[command(flatten)]
        yes: Yes,
    },
}

pub(in crate::cli) async fn archives(client: &Client, archives: Archives) -> Result<Answer> {
    match archives.verb {
        None | Some(Verb::List) => Ok(Answer::list(client.get("/archives").await?, COLUMNS)),
        Some(Verb::Restore { id, username }) => {
            let order = json!({ "act": "restore_archive", "archive_id": id, "username": username });
            let restored = client.act(&order).await?;
            let workspace = restored["workspace"].as_str().unwrap_or_default();
            let said = format!("{workspace} is restored, and {username} a member of it");
            Ok(Answer::sentence(said, restored))
        }
        Some(Verb::Delete { id, yes }) => {
            yes.confirm(&format!(
                "This deletes the archive {id} and the data in it for good."
            ))?;
            client
                .act(&json!({ "act": "delete_archive", "archive_id": id }))
                .await?;
            let said = format!("the archive {id} is deleted");
            Ok(Answer::sentence(said, json!({ "id": id })))
        }
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "workspace",
    "state",
    "members",
    "archived_at",
    "delete_at",
    "bytes",
];
