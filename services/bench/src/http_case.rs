//! A case of HTTP requests: each load on each server, in interleaved rounds.

use crate::fleet::Fleet;
use crate::load::{Load, Outcome, Wrk, check};
use crate::proc;
use crate::progress::say;
use crate::settings::Settings;
use crate::table::{Figure, Table};
use crate::target::Target;
use crate::upstream;
use anyhow::{Context, Result, bail};
use std::time::Duration;
use tokio::time::sleep;

/// What is measured of each server.
pub const FIGURES: &[Figure] = &[
    Figure {
        name: "requests/s",
        decimals: 0,
    },
    Figure {
        name: "p50 ms",
        decimals: 2,
    },
    Figure {
        name: "p99 ms",
        decimals: 2,
    },
    Figure {
        name: "CPU s/100k",
        decimals: 2,
    },
    Figure {
        name: "memory MiB",
        decimals: 1,
    },
];

/// How often a measurement is begun.
const ATTEMPTS: usize = 3;

/// Long enough that pools are filled and pages are touched.
const WARM_UP: Duration = Duration::from_secs(1);

/// One table for each load.
///
/// # Errors
/// A server does not start or does not answer as it should.
pub async fn run(settings: &Settings, loads: &[Load]) -> Result<Vec<Table>> {
    let upstream = upstream::start().await.context("start the upstream")?;
    let fleet = Fleet::start(settings, upstream.address()).await?;
    let dir = tempfile::tempdir().context("make a folder")?;
    let wrk = Wrk::new(dir.path())?;
    let mut tables = Vec::new();
    for load in loads {
        tables.push(table(settings, load, &wrk, &fleet.targets()).await?);
    }
    Ok(tables)
}

async fn table(settings: &Settings, load: &Load, wrk: &Wrk, targets: &[Target]) -> Result<Table> {
    let mut table = Table::new(&load.title, FIGURES);
    for target in targets {
        check(load, target).await?;
        wrk.run(load, target, WARM_UP).await?;
    }
    for round in 1..=settings.rounds {
        for target in targets {
            let (outcome, values) = measure_steadily(load, wrk, target, settings.time()).await?;
            check(load, target).await?;
            let (title, name) = (&load.title, target.name);
            let rate = values[0].unwrap_or_default();
            say(format_args!("{title}, round {round}, {name}: {rate:.0}/s"));
            table.add(name, &values);
            if outcome.errors.total() > 0 {
                table.fault(name, &outcome.errors.to_string());
            }
        }
    }
    Ok(table)
}

/// Measures once more if the machine or the load stood still meanwhile.
async fn measure_steadily(
    load: &Load,
    wrk: &Wrk,
    target: &Target,
    time: Duration,
) -> Result<(Outcome, Vec<Option<f64>>)> {
    for _ in 0..ATTEMPTS {
        let measured = measure(load, wrk, target, time).await?;
        let took = measured.0.duration();
        if !stood_still(took, time) {
            return Ok(measured);
        }
        say(format_args!(
            "it took {took:?} in place of {time:?}: once more"
        ));
    }
    bail!("the load stands still again and again: is the machine busy?")
}

/// A measurement that lasts far longer than was asked for was stopped in between, and wrk
/// takes that time for the servers'.
fn stood_still(took: Duration, asked: Duration) -> bool {
    took > asked + asked / 5 + Duration::from_millis(300)
}

async fn measure(
    load: &Load,
    wrk: &Wrk,
    target: &Target,
    time: Duration,
) -> Result<(Outcome, Vec<Option<f64>>)> {
    let memory = async {
        sleep(time / 2).await;
        target.pid.map(proc::memory).transpose()
    };
    let before = target.pid.map(proc::cpu).transpose()?;
    let (outcome, memory) = tokio::try_join!(wrk.run(load, target, time), memory)?;
    let after = target.pid.map(proc::cpu).transpose()?;
    let cpu = after.zip(before);
    let cpu = cpu.map(|(after, before)| after.saturating_sub(before));
    let values = values(&outcome, cpu, memory);
    Ok((outcome, values))
}

/// In the order of [`FIGURES`].
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn values(outcome: &Outcome, cpu: Option<Duration>, memory: Option<u64>) -> Vec<Option<f64>> {
    let requests = outcome.requests as f64;
    let answered = |value: f64| (requests > 0.0).then_some(value);
    vec![
        Some(requests / (outcome.duration().as_secs_f64())),
        answered(outcome.p50_us as f64 / 1e3),
        answered(outcome.p99_us as f64 / 1e3),
        cpu.and_then(|cpu| answered(cpu.as_secs_f64() / requests * 1e5)),
        memory.map(|bytes| bytes as f64 / f64::from(1 << 20)),
    ]
}
