//! Swap under fire, as long and as hard as one likes: `make swap-storm`.

use anyhow::Result;
use clap::Parser;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use swap_storm::{Origins, Plan, data};

/// Swaps, breaks and restarts everything under the eyes of many clients, and accounts for every
/// request; with `--promote`, promotes releases that migrate their data, and accounts for every
/// record as well. Ends with 1 if a promise was broken.
#[derive(Parser)]
struct Args {
    /// Storm with data: promotions, and no swaps.
    #[arg(long)]
    promote: bool,
    /// With `--promote`: promotions, those included that have to be taken back.
    #[arg(long, default_value_t = 100)]
    promotions: u64,
    /// With `--promote`: how many of them are to faulty releases.
    #[arg(long, default_value_t = 20)]
    faulty: u64,
    /// With `--promote`: in the midst of how many others something is killed.
    #[arg(long, default_value_t = 30)]
    kills: u64,
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
    if std::env::args().nth(1).as_deref() == Some(data::SERVE) {
        data::serve().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let args = Args::parse();
    let own = std::env::current_exe()?;
    let beside = own.with_file_name("hypervisor");
    let hypervisor = args.hypervisor.as_deref().unwrap_or(&beside);
    if args.promote {
        with_data(&args, hypervisor, &own).await
    } else {
        swaps(&args, hypervisor).await
    }
}

async fn swaps(args: &Args, hypervisor: &Path) -> Result<ExitCode> {
    let plan = Plan {
        requests: args.requests,
        clients: args.clients,
        swaps: args.swaps,
        restarts: args.restarts,
        seed: args.seed,
        origins: args.origins,
    };
    let report = swap_storm::run(hypervisor, &plan).await?;
    let timeline = args.timeline.then_some(&*report.timeline);
    told(&plan, &report, timeline, report.is_clean())
}

async fn with_data(args: &Args, hypervisor: &Path, own: &Path) -> Result<ExitCode> {
    let plan = data::Plan {
        requests: args.requests,
        clients: args.clients,
        promotions: args.promotions,
        faulty: args.faulty,
        kills: args.kills,
        seed: args.seed,
    };
    let report = data::run(hypervisor, own, &plan).await?;
    let timeline = args.timeline.then_some(&*report.timeline);
    told(&plan, &report, timeline, report.is_clean())
}

fn told(
    plan: &impl Display,
    report: &impl Display,
    timeline: Option<&[String]>,
    clean: bool,
) -> Result<ExitCode> {
    let mut out = std::io::stdout();
    write!(out, "{plan}\n\n{report}")?;
    if let Some(timeline) = timeline {
        writeln!(out, "\n{}", timeline.join("\n"))?;
    }
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
