//! `hypervisor store`: what is done to a store while no gateway uses it.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::answer::Answer;
use crate::config::Config;
use crate::store::{Database, Lock, MachineStore as _};
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, absolute};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Copy all accounts, sessions, routes and audit to a new store, of the same or the other engine
    ///
    /// Each row is compared afterwards. Stop the gateway before, and set store.url (or store.path)
    /// to the copy after. A password comes from store.password_file.
    Copy(Copy),
}

#[derive(Args)]
pub(super) struct Copy {
    /// Where it is: sqlite:FILE, or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "STORE")]
    from: String,
    /// Where it is to be, in the same form; a file that is not there, or an empty database
    #[arg(long, value_name = "STORE")]
    to: String,
}

/// How this program names itself to others that want a store.
const HOLDER: &str = "hypervisor store copy";

/// One of the two, and what keeps others from it meanwhile.
struct Opened {
    database: Database,
    _only: Option<Lock>,
}

pub(super) fn run(config: &Config, verb: &Verb) -> Result<Answer> {
    let Verb::Copy(order) = verb;
    if order.from == order.to {
        bail!("--from and --to are the same store; name another one");
    }
    // The gateway that has this configuration must not run, whichever of the two it has.
    let _only = Lock::take(&config.store.path, HOLDER)?;
    // Neither is repeated in an error: somebody may have written a password into it.
    let from = open(config, &order.from, true).context("--from")?;
    let to = open(config, &order.to, false).context("--to")?;
    let copied = from.database.copy_to(&to.database);
    let released = from.database.release().and(to.database.release());
    if copied.is_err()
        && let Some(file) = order.to.strip_prefix("sqlite:")
    {
        // It has nothing, and would be in the way of the next.
        let _ = std::fs::remove_file(file);
    }
    let rows = copied?;
    released?;
    let said = format!("{rows} rows are in {}, and each is the same", order.to);
    Ok(Answer::sentence(
        said,
        json!({ "rows": rows, "to": order.to }),
    ))
}

fn open(config: &Config, place: &str, is_there: bool) -> Result<Opened> {
    let Some(file) = place.strip_prefix("sqlite:").map(Path::new) else {
        return Ok(Opened {
            database: Database::postgres(&config.store, place, "")?,
            _only: None,
        });
    };
    if is_there != file.exists() {
        bail!(if is_there {
            "there is no such file"
        } else {
            "this file is there already; name a new one"
        });
    }
    let is_ours = absolute(file)? == absolute(&config.store.path)?;
    let only = if is_ours {
        None
    } else {
        Some(Lock::take(file, HOLDER)?)
    };
    Ok(Opened {
        database: Database::sqlite(file)?,
        _only: only,
    })
}
