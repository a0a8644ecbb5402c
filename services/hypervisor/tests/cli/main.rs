//! The manners of the commands: where they write, with which codes they end, and what shells and
//! `man` know of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod exits;
mod manual;
mod writing;

#[path = "../common/mod.rs"]
mod common;

use std::path::Path;
use std::process::{Command, Output};

const BIN: &str = env!("CARGO_BIN_EXE_hypervisor");

/// A command for a gateway that isn't there.
fn away(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(BIN);
    command
        .args(args)
        .env_clear()
        .env("HYPERVISOR_STORE_PATH", folder.join("hypervisor.db"));
    command
}

/// What it said on standard error.
fn sentence(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
