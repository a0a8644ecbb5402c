//! `hypervisor tokens`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use crate::cli::answer::Answer;
use crate::cli::client::Client;
use crate::cli::once::Once;
use crate::cli::{output, segment};
use crate::scope::Scope;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Subcommand)]
pub(in crate::cli) enum Tokens {
    /// List the tokens that let programs in, in someone's name
    List {
        /// The account
        #[arg(long, value_name = "USERNAME")]
        user: String,
    },
    /// Print a token that lets a program in, in someone's name and never further than them
    Create(Create),
    /// Make a token useless; what it has open ends
    Revoke {
        /// Its id, as `hypervisor tokens` lists it
        id: String,
    },
}

#[derive(Args)]
pub(in crate::cli) struct Create {
    /// What it is for, such as `deploy`
    name: String,
    /// The account in whose name it lets in
    #[arg(long, value_name = "USERNAME")]
    user: String,
    /// What it is good for; more than one is allowed
    #[arg(long = "scope", value_name = "SCOPE", required = true,
        value_parser = Scope::ALL.map(Scope::as_str))]
    scopes: Vec<String>,
    /// For how many days it is good
    #[arg(long, value_name = "N", default_value_t = 90)]
    days: u64,
    /// The only workspace that it is good for; by default all of theirs
    #[arg(long)]
    workspace: Option<String>,
}

pub(in crate::cli) async fn tokens(client: &Client, tokens: Tokens) -> Result<Answer> {
    match tokens {
        Tokens::List { user } => {
            let path = format!("/tokens?user={}", segment(&user));
            Ok(Answer::list(client.get(&path).await?, COLUMNS))
        }
        Tokens::Create(token) => create(client, &token).await,
        Tokens::Revoke { id } => {
            client
                .act(&json!({ "act": "revoke_token", "token_id": id }))
                .await?;
            let said = format!("the token {id} lets nobody in any more");
            Ok(Answer::sentence(said, json!({ "id": id })))
        }
    }
}

async fn create(client: &Client, token: &Create) -> Result<Answer> {
    output::is_seen()?;
    let order = json!({
        "act": "create_token",
        "username": token.user,
        "name": token.name,
        "scopes": token.scopes,
        "days": token.days,
        "workspace": token.workspace,
    });
    let made = client.act(&order).await?;
    let id = &made["id"];
    let once = Once::revoked_by(
        "the token",
        json!({ "act": "revoke_token", "token_id": id }),
        format!(
            "hypervisor tokens revoke {}",
            id.as_str().unwrap_or_default()
        ),
    );
    Ok(Answer::from(made).once(once))
}

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "scopes",
    "workspace",
    "created_at",
    "expires_at",
    "last_used_at",
];
