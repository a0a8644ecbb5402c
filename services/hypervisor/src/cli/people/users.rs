//! `hypervisor users` and `recover`.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::find;
use crate::cli::answer::Answer;
use crate::cli::client::Client;
use crate::cli::once::Once;
use crate::cli::question::Yes;
use crate::cli::{output, segment};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;

#[derive(Args)]
pub(in crate::cli) struct Users {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List the accounts, as `users` alone does
    List {
        /// Those that have this in their names
        #[arg(long, value_name = "TEXT", default_value = "")]
        search: String,
    },
    /// Keep someone out: their sessions and tokens end, and nothing lets them in
    Disable(Whom),
    /// Let someone in again
    Enable(Whom),
    /// Give an account another name; passkeys and workspaces stay
    Rename {
        #[command(flatten)]
        whom: Whom,
        /// The new name
        new: String,
    },
    /// Make someone an admin, who sees and steers every workspace
    Admin {
        #[command(flatten)]
        whom: Whom,
        /// Make them an ordinary user again; the last admin stays one
        #[arg(long)]
        revoke: bool,
    },
    /// Remove an account; workspaces that nobody else is a member of are archived
    ///
    /// `hypervisor archives` lists those, and restores them until they are deleted.
    Remove {
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        yes: Yes,
    },
    /// Log someone out everywhere
    EndSessions(Whom),
    /// Print a one-time recovery code, as `hypervisor recover` does
    Recover(Whom),
}

/// Whom it is about.
#[derive(Args)]
pub(in crate::cli) struct Whom {
    /// The account
    username: String,
}

pub(in crate::cli) async fn users(client: &Client, users: Users) -> Result<Answer> {
    match users.verb {
        None => list(client, "").await,
        Some(Verb::List { search }) => list(client, &search).await,
        Some(Verb::Recover(whom)) => recover(client, &whom).await,
        Some(Verb::Disable(whom)) => {
            let done = "is disabled; nothing lets them in until `hypervisor users enable`";
            change(client, &whom, "disable_user", json!({}), done).await
        }
        Some(Verb::Enable(whom)) => {
            let done = "can log in again";
            change(client, &whom, "enable_user", json!({}), done).await
        }
        Some(Verb::Rename { whom, new }) => {
            let (with, done) = (json!({ "username": new }), format!("is {new} from now on"));
            change(client, &whom, "rename_user", with, &done).await
        }
        Some(Verb::Admin { whom, revoke }) => {
            let done = if revoke {
                "is an ordinary user"
            } else {
                "is an admin"
            };
            let with = json!({ "admin": !revoke });
            change(client, &whom, "set_admin", with, done).await
        }
        Some(Verb::EndSessions(whom)) => {
            let done = "is logged out everywhere";
            change(client, &whom, "end_user_sessions", json!({}), done).await
        }
        Some(Verb::Remove { whom, yes }) => remove(client, &whom, &yes).await,
    }
}

async fn list(client: &Client, search: &str) -> Result<Answer> {
    let path = format!("/users?search={}", segment(search));
    Ok(Answer::list(client.get(&path).await?, COLUMNS))
}

/// An act that answers no more than that it is done.
async fn change(
    client: &Client,
    whom: &Whom,
    name: &str,
    mut with: Value,
    done: &str,
) -> Result<Answer> {
    let user = find(client, &whom.username).await?;
    with["act"] = name.into();
    with["user_id"] = user.id.clone();
    let changed = client.act(&with).await?;
    Ok(Answer::sentence(format!("{} {done}", user.name), changed))
}

async fn remove(client: &Client, whom: &Whom, yes: &Yes) -> Result<Answer> {
    let user = find(client, &whom.username).await?;
    let name = &user.name;
    yes.confirm(&format!(
        "This removes the account {name} with its passkeys, and archives what is theirs alone."
    ))?;
    let removed = client
        .act(&json!({ "act": "remove_user", "user_id": user.id }))
        .await?;
    let names = |key: &str| {
        let names = removed[key].as_array().into_iter().flatten();
        names
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut said = format!("{name} is removed");
    for (workspaces, what) in [
        (
            names("archived"),
            "archived; `hypervisor archives` restores it",
        ),
        (names("under_way"), "on its way to the archives"),
    ] {
        if !workspaces.is_empty() {
            let _ = write!(said, ", and {workspaces} {what}");
        }
    }
    Ok(Answer::sentence(said, removed))
}

/// A code with which the person adds a passkey, and can do nothing else.
pub(in crate::cli) async fn recover(client: &Client, whom: &Whom) -> Result<Answer> {
    output::is_seen()?;
    let user = find(client, &whom.username).await?;
    let order = json!({ "act": "recovery_link", "user_id": user.id });
    let code = client.act(&order).await?;
    let once = Once::ending("the recovery code", &code["expires_at"]);
    Ok(Answer::from(code).once(once))
}

const COLUMNS: &[&str] = &[
    "username",
    "admin",
    "disabled_at",
    "last_seen_at",
    "workspaces",
    "passkeys",
    "recovery_codes_left",
    "created_at",
];
