//! `make bench`: measures the hypervisor beside its peers.

use anyhow::{Context, Result, bail};
use bench::cases::Case;
use bench::settings::Settings;
use bench::{progress, report};
use clap::{Parser, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Measures the hypervisor beside what one would pick in its place, and prints Markdown tables.
#[derive(Parser)]
struct Options {
    /// What to measure; everything that has peers if nothing is named
    cases: Vec<Case>,

    #[command(flatten)]
    settings: Settings,

    /// Where to write the page of this run
    #[arg(long)]
    write: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match interruptible(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        // A sentence; where in this program it was found helps nobody.
        Err(error) => {
            progress::say(format_args!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn interruptible(options: &Options) -> Result<()> {
    let mut end = signal(SignalKind::terminate())?;
    // Whoever is dropped here ends what it has started.
    tokio::select! {
        result = run(options) => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = end.recv() => bail!("terminated"),
    }
}

async fn run(options: &Options) -> Result<()> {
    let settings = &options.settings;
    settings.check()?;
    testkit::open_files::allow_all()?;
    let cases = match options.cases.as_slice() {
        [] => Case::BESIDE_PEERS,
        named => named,
    };
    let mut tables = Vec::new();
    for case in cases {
        let measured = case.run(settings).await;
        for table in measured.with_context(|| names(&[*case]))? {
            writeln!(std::io::stdout(), "{table}")?;
            tables.push(table);
        }
    }
    if let Some(path) = &options.write {
        let page = report::page(settings, &names(cases), &tables);
        std::fs::write(path, page).with_context(|| path.display().to_string())?;
        progress::say(format_args!("written to {}", path.display()));
    }
    Ok(())
}

/// As they are called on the command line.
fn names(cases: &[Case]) -> String {
    let values = cases.iter().filter_map(ValueEnum::to_possible_value);
    let names: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
    names.join(", ")
}
