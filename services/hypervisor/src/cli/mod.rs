//! The command line: one binary that serves, and steers what serves.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

mod backup;
mod changes;
mod client;
mod open_files;
mod probation;
mod serve;
mod signals;
mod systemd;
mod table;
mod volume;

use crate::config::{self, Config};
use crate::routes::SwapOrder;
use anyhow::{Context as _, Result};
use changes::ReleaseVerb;
use clap::{Args, Parser, Subcommand};
use client::Client;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// A passkey-gated home for sandboxes that can be replaced while they serve.
///
/// `serve` runs the gateway. The other commands talk to the running gateway over its Unix
/// socket, as root or as the user that it runs as, and print a table, or JSON with --json.
///
/// Every key of the configuration can also be set by environment as
/// HYPERVISOR_<SECTION>_<KEY>, for example HYPERVISOR_SERVER_LISTEN or HYPERVISOR_REGISTRATION.
#[derive(Parser)]
#[command(name = "hypervisor", version, max_term_width = 96)]
struct Cli {
    /// The TOML file to read; without it the defaults and the environment count
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or Ctrl-C
    ///
    /// The first start prints one enrolment link: open it, register a passkey, and you are the
    /// admin. A SIGTERM lets claimed requests finish, for server.shutdown_secs at most. A SIGHUP
    /// has new connections get the certificate as it is now, where there is one.
    Serve,
    /// Say whether the configuration makes sense, without starting anything
    ///
    /// Exits with 1 and one sentence that names the line or variable and its mend.
    CheckConfig,
    /// Print a link with which one more person can register
    Invite {
        /// The person becomes an admin: sees and steers every workspace
        #[arg(long)]
        admin: bool,
        /// Only a person of this name can use it, as it takes for a declared member's
        #[arg(long)]
        username: Option<String>,
    },
    /// List the accounts
    Users,
    /// List the sandboxes, or start or stop one
    Sandboxes {
        #[command(subcommand)]
        verb: Option<SandboxVerb>,
    },
    /// List a workspace's releases, and which of them live and dev have
    Releases(changes::Of),
    /// Add a release, or give one to dev
    Release {
        #[command(subcommand)]
        verb: ReleaseVerb,
    },
    /// Give live dev's release; live's data stay where they are
    ///
    /// It is tried first in dev, on a copy of live's data. Then requests to live wait while it is
    /// stopped, started with the release, and found healthy; otherwise release and data are what
    /// they were before anybody is let in.
    Promote(changes::Promote),
    /// Take live's last promotion back
    Undo(changes::Undo),
    /// Make dev's data a copy of live's; what dev has is kept as a snapshot
    Fork(changes::Of),
    /// Copy a sandbox's data as of one moment, while it is in use
    Snapshot(changes::Snapshot),
    /// List the snapshots of a workspace
    Snapshots(changes::Of),
    /// Say what was done to a workspace, the newest first
    History(changes::Of),
    /// Exchange a workspace's live and dev sandboxes, data included, while requests run
    ///
    /// Live's address has dev's data afterwards; to keep live's, use `promote`. The dev sandbox is probed first; if it is not healthy, nothing changes. Requests that
    /// were claimed before finish where they began. The same command again swaps back.
    Swap {
        /// The workspace
        #[arg(default_value = config::DEFAULT_WORKSPACE)]
        workspace: String,
        /// Swap only if the routes are still at this generation
        #[arg(long, value_name = "N")]
        expect_generation: Option<u64>,
        /// Seconds until WebSockets of the old generation are closed
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        drain_secs: u64,
        /// Swap even if the dev sandbox is not healthy
        #[arg(long)]
        force: bool,
        /// Have the gateway watch live for so long and swap back if it falls ill; exits with 1 then
        ///
        /// The gateway watches also when this command is gone, or itself was restarted.
        #[arg(long, value_name = "SECONDS")]
        probation: Option<u64>,
    },
    /// Say or set who may look at a workspace's live or dev sandbox
    ///
    /// It belongs to the role: a swap leaves it as it is.
    Access {
        #[command(flatten)]
        place: Place,
        /// `members` of the workspace, all `users` who are logged in, or `public`: everybody
        #[arg(value_parser = ["members", "users", "public"])]
        access: Option<String>,
    },
    /// Copy a sandbox's data as of one moment to its backups, or the store to a file; both while in use
    ///
    /// Every SQLite database in a backup is checked, and so is the copy of the store.
    Backup(changes::Backup),
    /// List the backups of a workspace
    Backups(changes::Of),
    /// Make a sandbox's data what a snapshot or a backup has, or the store what a copy of it is
    ///
    /// Requests to the sandbox wait meanwhile; what it has now is kept as a snapshot, and comes
    /// back if it is not healthy. The store is restored while the gateway is stopped: the copy is
    /// checked first, and what was there is kept beside it.
    Restore(changes::Restore),
    /// Say how the running gateway is
    Status,
    /// Print a one-time recovery code for someone who has lost every passkey
    ///
    /// With it they add a new passkey at /recovery, and can do nothing else.
    Recover {
        /// The account
        username: String,
    },
    /// Carry out one order about a sandbox's volume; units do this as root
    #[command(hide = true)]
    Volume(volume::Arguments),
}

#[derive(Subcommand)]
enum SandboxVerb {
    /// Start a sandbox and wait until it is healthy
    Start(Place),
    /// Stop a sandbox; no request starts it until somebody does
    Stop(Place),
}

#[derive(Args)]
struct Place {
    /// The workspace
    workspace: String,
    /// `live` or `dev`
    #[arg(value_parser = ["live", "dev"])]
    role: String,
}

/// Runs the program; an error is printed as a sentence.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "hypervisor: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// What went wrong, and why, each of it once: many a sentence tells its cause itself.
fn sentence(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

fn execute(cli: Cli) -> Result<()> {
    // As root, beside the gateway: its configuration is none of this.
    if let Command::Volume(arguments) = &cli.command {
        return volume::run(arguments);
    }
    let config = config::load(cli.config.as_deref(), std::env::vars())?;
    let said = match &cli.command {
        Command::CheckConfig => Some("the configuration makes sense".to_owned()),
        Command::Backup(changes::Backup { store, .. }) => backup::backup(&config, store)?,
        Command::Restore(changes::Restore {
            from: Some(from), ..
        }) => Some(backup::restore(&config, from)?),
        _ => None,
    };
    if let Some(said) = said {
        return Ok(writeln!(std::io::stdout(), "{said}")?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    if matches!(cli.command, Command::Serve) {
        return runtime.block_on(serve::serve(config));
    }
    runtime.block_on(control(cli, &config))
}

/// Does what the operator asks of the running gateway.
async fn control(cli: Cli, config: &Config) -> Result<()> {
    let client = Client::new(config.control_socket());
    let columns = match cli.command {
        Command::Users => USERS,
        Command::Sandboxes { verb: None } => SANDBOXES,
        Command::Releases(_) => changes::RELEASES,
        Command::Snapshots(_) => changes::SNAPSHOTS,
        Command::History(_) => changes::HISTORY,
        Command::Backups(_) => changes::BACKUPS,
        _ => &[],
    };
    let response = ask(&client, cli.command).await?;
    let text = if cli.json {
        format!("{}\n", serde_json::to_string_pretty(&response)?)
    } else {
        table::render(&response, columns)
    };
    // A reader that has gone, such as `head`, is no failure of ours.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

async fn ask(client: &Client, command: Command) -> Result<Value> {
    match command {
        Command::Status => client.get("/status").await,
        Command::Users => client.get("/users").await,
        Command::Releases(of) => changes::releases(client, &of).await,
        Command::Release { verb } => changes::release(client, verb).await,
        Command::Promote(promote) => changes::promote(client, promote).await,
        Command::Undo(undo) => changes::undo(client, undo).await,
        Command::Fork(of) => changes::fork(client, &of).await,
        Command::Restore(restore) => changes::restore(client, &restore).await,
        Command::Snapshot(snapshot) => changes::snapshot(client, &snapshot).await,
        Command::Snapshots(of) => changes::snapshots(client, &of).await,
        Command::History(of) => changes::history(client, &of).await,
        Command::Backup(backup) => changes::back_up(client, &backup).await,
        Command::Backups(of) => changes::backups(client, &of).await,
        Command::Invite { admin, username } => {
            let order = json!({ "admin": admin, "username": username });
            client.post("/invites", &order).await
        }
        Command::Recover { username } => {
            let path = format!("/recover/{}", segment(&username));
            client.post(&path, &json!({})).await
        }
        Command::Sandboxes { verb: None } => client.get("/sandboxes").await,
        Command::Sandboxes { verb: Some(verb) } => {
            let (Place { workspace, role }, verb) = match verb {
                SandboxVerb::Start(place) => (place, "start"),
                SandboxVerb::Stop(place) => (place, "stop"),
            };
            let path = format!("/sandboxes/{}/{role}/{verb}", segment(&workspace));
            client.post(&path, &json!({})).await
        }
        Command::Access { place, access } => {
            let path = format!("/access/{}/{}", segment(&place.workspace), place.role);
            match access {
                None => client.get(&path).await,
                Some(access) => client.post(&path, &json!({ "access": access })).await,
            }
        }
        Command::Swap {
            workspace,
            expect_generation,
            drain_secs,
            force,
            probation,
        } => {
            let order = SwapOrder {
                expect_generation,
                drain_secs,
                force,
                probation_secs: probation,
            };
            if probation.is_some() {
                return probation::swap(client, &workspace, order).await;
            }
            let path = format!("/swap/{}", segment(&workspace));
            client.post(&path, &serde_json::to_value(order)?).await
        }
        Command::Serve | Command::CheckConfig | Command::Volume(_) => Ok(Value::Null),
    }
}

const USERS: &[&str] = &[
    "username",
    "admin",
    "passkeys",
    "recovery_codes_left",
    "created_at",
];
const SANDBOXES: &[&str] = &[
    "workspace",
    "username",
    "role",
    "sandbox",
    "status",
    "address",
    "idle_secs",
    "release",
    "generation",
    "stopped_by",
    "access",
    "url",
    "probation_secs",
];

/// One segment of a path: names come from the command line, slashes and all.
fn segment(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use anyhow::anyhow;

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let error = anyhow!("no room").context("it failed: no room; make some");
        let error = error.context("cannot start");
        let said = "cannot start: it failed: no room; make some";
        assert_eq!(sentence(&error), said);
    }
}
