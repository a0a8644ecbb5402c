//! The manners of the commands: where they write, with which codes they end, and what shells and
//! `man` know of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod archives;
mod exits;
mod manual;
mod people;
mod records;
mod terminal;
mod tokens;
mod writing;

#[path = "../common/mod.rs"]
mod common;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use testkit::harness::Hypervisor;

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

/// What a command answers, as JSON.
async fn json(gateway: &Hypervisor, args: &[&str]) -> Value {
    let output = gateway.cli(&[args, &["--json"]].concat()).await.unwrap();
    assert!(output.status.success(), "{args:?}: {}", sentence(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command says when it does not do it, and its exit code.
async fn refusal(gateway: &Hypervisor, args: &[&str]) -> (i32, String) {
    let output = gateway.cli(args).await.unwrap();
    assert!(!output.status.success(), "{args:?}");
    (output.status.code().unwrap(), sentence(&output))
}
