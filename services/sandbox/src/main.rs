//! The `sandbox` binary.

use clap::Parser;
use sandbox::{config::Config, server};
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    let filter = match EnvFilter::try_new(&config.log) {
        Ok(filter) => filter,
        Err(error) => return refuse(&format!("--log {}: {error}; try `info`", config.log)),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // It would be told on the very stream that failed, and panic: a sandbox whose hypervisor
        // was killed has nobody at the other end of its standard error.
        .log_internal_errors(false)
        .init();
    match server::run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(sentence: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "sandbox: {sentence}");
    ExitCode::FAILURE
}
