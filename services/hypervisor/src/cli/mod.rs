//! The command line: one binary that serves, and steers what serves.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

mod answer;
mod backup;
mod changes;
mod client;
mod commands;
mod exit;
mod logs;
mod machines;
mod manual;
mod once;
mod open_files;
mod output;
mod people;
mod printable;
mod probation;
mod question;
mod sandboxes;
mod serve;
mod signals;
mod store;
mod systemd;
mod table;
mod volume;

use crate::config;
use answer::Answer;
use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use exit::Exit;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::runtime::{self, Runtime};

/// A passkey-gated home for sandboxes that can be replaced while they serve.
///
/// `serve` runs the gateway. The other commands talk to the running gateway over its Unix
/// socket, as root or as the user that it runs as, and print a table, or JSON with --json.
///
/// Every key of the configuration can also be set by environment as
/// HYPERVISOR_<SECTION>_<KEY>, for example HYPERVISOR_SERVER_LISTEN or HYPERVISOR_REGISTRATION.
#[derive(Parser)]
#[command(name = "hypervisor", version, max_term_width = 96, after_help = exit::help())]
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
    #[command(flatten)]
    Gateway(Box<commands::Command>),
    /// Print what a shell needs to complete these commands
    ///
    /// For bash: hypervisor completions bash >/usr/share/bash-completion/completions/hypervisor
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write a manual page for each command
    Man(manual::Pages),
    /// Copy a store to another one, also from SQLite to PostgreSQL and back
    Store {
        #[command(subcommand)]
        verb: store::Verb,
    },
    /// Carry out one order about a sandbox's volume; units do this as root
    #[command(hide = true)]
    Volume(volume::Arguments),
}

/// Runs the program; an error is printed as a sentence.
pub fn run() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => execute(cli),
        Err(error) if error.use_stderr() => {
            let _ = error.print();
            return Exit::Usage.into();
        }
        // The help, or the version.
        Err(error) => output::help(&error).map_err(Into::into),
    };
    let Err(error) = done else {
        return Exit::Done.into();
    };
    let exit = Exit::of(&error);
    if exit != Exit::ClosedPipe {
        output::note(&sentence(&error));
    }
    exit.into()
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
    let config = || config::load(cli.config.as_deref(), std::env::vars());
    let answer = match cli.command {
        Command::Serve => return runtime()?.block_on(serve::serve(config()?)),
        Command::CheckConfig => {
            config()?;
            Answer::sentence("the configuration makes sense", json!({ "ok": true }))
        }
        Command::Gateway(command) => return runtime()?.block_on(command.run(&config()?, cli.json)),
        Command::Store { verb } => store::run(&config()?, &verb)?,
        Command::Completions { shell } => return manual::completions(shell),
        Command::Man(pages) => manual::write(&pages)?,
        // As root, beside the gateway.
        Command::Volume(arguments) => return volume::run(&arguments),
    };
    answer.print(cli.json)
}

fn runtime() -> Result<Runtime> {
    let mut builder = runtime::Builder::new_multi_thread();
    builder
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

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
