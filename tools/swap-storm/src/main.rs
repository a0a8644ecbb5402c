//! Swap under fire, as long and as hard as one likes: `make swap-storm`.

use anyhow::Result;
use clap::Parser;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use swap_storm::{Origins, Plan};

/// Swaps, breaks and restarts everything under the eyes of many clients, and accounts for every
/// request. Ends with 1 if a promise was broken.
#[derive(Parser)]
struct Args {
    /// Answered requests at least.
    #[arg(long, default_value_t = 1_000_000)]
    requests: u64,
    /// Clients at once.
    #[arg(long, default_value_t = 256)]
    clients: usize,
    /// Swaps that succeed.
    #[arg(long, default_value_t = 100)]
    swaps: u64,
    /// Restarts of the hypervisor.
    #[arg(long, default_value_t = 5)]
    restarts: u64,
    /// The same number brings the same events in the same order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Whose origin the sandboxes have.
    #[arg(long, value_enum, default_value_t = Origins::Own)]
    origins: Origins,
    /// Tell as well what was done to the sandboxes and the hypervisor, and when.
    #[arg(long)]
    timeline: bool,
    /// The program to try; by default the hypervisor beside this program.
    #[arg(long)]
    hypervisor: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let beside = std::env::current_exe()?.with_file_name("hypervisor");
    let hypervisor = args.hypervisor.unwrap_or(beside);
    let plan = Plan {
        requests: args.requests,
        clients: args.clients,
        swaps: args.swaps,
        restarts: args.restarts,
        seed: args.seed,
        origins: args.origins,
    };
    let report = swap_storm::run(&hypervisor, &plan).await?;
    let mut out = std::io::stdout();
    write!(out, "{plan}\n\n{report}")?;
    if args.timeline {
        writeln!(out, "\n{}", report.timeline.join("\n"))?;
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
