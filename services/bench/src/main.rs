//! Measures the hypervisor beside its peers.

use anyhow::{Context, Result, bail, ensure};
use bench::cases::Case;
use bench::settings::Settings;
use clap::{Parser, ValueEnum};
use std::io::Write;
use tokio::signal::unix::{SignalKind, signal};

/// Measures the hypervisor beside nginx and HAProxy, and prints Markdown tables.
#[derive(Parser)]
struct Options {
    /// What to measure; everything if nothing is named
    cases: Vec<Case>,

    #[command(flatten)]
    settings: Settings,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let mut end = signal(SignalKind::terminate())?;
    // Whoever is dropped here ends what it has started.
    tokio::select! {
        result = run(&options) => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = end.recv() => bail!("terminated"),
    }
}

async fn run(options: &Options) -> Result<()> {
    let all = Case::value_variants();
    let cases = if options.cases.is_empty() {
        all
    } else {
        &options.cases
    };
    let mut faulty = false;
    for case in cases {
        let tables = case.run(&options.settings).await;
        for table in tables.with_context(|| format!("case {case:?}"))? {
            faulty |= table.is_faulty();
            writeln!(std::io::stdout(), "{table}")?;
        }
    }
    ensure!(!faulty, "some runs had errors; their tables say which");
    Ok(())
}
