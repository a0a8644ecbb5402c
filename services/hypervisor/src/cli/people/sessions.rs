//! `hypervisor sessions`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use crate::cli::answer::Answer;
use crate::cli::client::Client;
use crate::cli::segment;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Args)]
pub(in crate::cli) struct Sessions {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List who is logged in from where, as `sessions` alone does
    List {
        /// The sessions of this account alone
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// End a session, and what it opened; `users end-sessions` ends all of someone's
    End {
        /// Its id, as `hypervisor sessions` lists it
        id: String,
    },
}

pub(in crate::cli) async fn sessions(client: &Client, sessions: Sessions) -> Result<Answer> {
    match sessions.verb {
        None => list(client, None).await,
        Some(Verb::List { user }) => list(client, user.as_deref()).await,
        Some(Verb::End { id }) => {
            client
                .act(&json!({ "act": "end_session", "session_id": id }))
                .await?;
            let said = format!("the session {id} has ended");
            Ok(Answer::sentence(said, json!({ "id": id })))
        }
    }
}

async fn list(client: &Client, user: Option<&str>) -> Result<Answer> {
    let path = match user {
        None => "/sessions".to_owned(),
        Some(name) => format!("/sessions?user={}", segment(name)),
    };
    Ok(Answer::list(client.get(&path).await?, COLUMNS))
}

const COLUMNS: &[&str] = &[
    "id",
    "username",
    "kind",
    "address",
    "user_agent",
    "created_at",
    "last_seen_at",
];
