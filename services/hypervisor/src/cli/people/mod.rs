//! The commands about people, and what they come to: acts at the gateway's socket.

mod archives;
mod audit;
mod invites;
mod members;
mod sessions;
mod tokens;
mod users;

pub(super) use archives::{Archives, archives};
pub(super) use audit::{Audit, audit};
pub(super) use invites::{Create as Invite, Invites, invite, invites};
pub(super) use members::{Members, members};
pub(super) use sessions::{Sessions, sessions};
pub(super) use tokens::{Tokens, tokens};
pub(super) use users::{Users, Whom, recover, users};

use super::client::Client;
use super::segment;
use crate::username;
use anyhow::{Result, bail};
use serde_json::Value;

/// An account, as acts name it.
struct User {
    id: Value,
    name: String,
}

/// The account of that name.
///
/// # Errors
/// There is none; the sentence has those that are named alike.
async fn find(client: &Client, given: &str) -> Result<User> {
    let Some(name) = username::parse(given) else {
        bail!("`{given}` is no name that an account can have; `hypervisor users` lists them");
    };
    let rows = client
        .get(&format!("/users?search={}", segment(&name)))
        .await?;
    let rows = rows.as_array().map_or(&[] as &[Value], Vec::as_slice);
    let names = || rows.iter().filter_map(|row| row["username"].as_str());
    if let Some(row) = rows.iter().find(|row| row["username"] == *name) {
        let id = row["id"].clone();
        return Ok(User { id, name });
    }
    match names().take(5).collect::<Vec<_>>().join(", ") {
        alike if alike.is_empty() => {
            bail!("there is no account {name}; `hypervisor users` lists them")
        }
        alike => bail!("there is no account {name}; there are {alike}"),
    }
}
