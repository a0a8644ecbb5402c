//! A case of HTTP requests: each load on each server, in interleaved rounds.

use crate::fleet::Fleet;
use crate::load::{Load, Outcome, Wrk, check};
use crate::proc;
use crate::rounds::{self, Measured};
use crate::settings::Settings;
use crate::table::{Figure, Table};
use crate::target::Target;
use crate::upstream;
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::sleep;

/// What is measured of each server.
pub const FIGURES: &[Figure] = &[
    Figure::new("requests/s", 0),
    Figure::new("p50 ms", 2),
    Figure::new("p99 ms", 2),
    Figure::new("CPU s/100k", 2),
    Figure::new("memory MiB", 1),
];

/// Long enough that pools are filled and pages are touched.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

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
    let mut table = Table::new(&load.title, FIGURES).with_goals(load.goals);
    for target in targets {
        check(load, target).await?;
        wrk.run(load, target, WARM_UP).await?;
    }
    let time = settings.time();
    rounds::run(settings, &mut table, targets, async |target| {
        let measured = measure(load, wrk, target, time).await?;
        check(load, target).await?;
        Ok(measured)
    })
    .await?;
    Ok(table)
}

pub(crate) async fn measure(
    load: &Load,
    wrk: &Wrk,
    target: &Target,
    time: Duration,
) -> Result<Measured> {
    let memory = async {
        sleep(time / 2).await;
        target.pid.map(proc::memory).transpose()
    };
    let before = target.pid.map(proc::cpu).transpose()?;
    let (outcome, memory) = tokio::try_join!(wrk.run(load, target, time), memory)?;
    let after = target.pid.map(proc::cpu).transpose()?;
    let cpu = after.zip(before);
    let cpu = cpu.map(|(after, before)| after.saturating_sub(before));
    let errors = &outcome.errors;
    Ok(Measured {
        values: values(&outcome, cpu, memory),
        fault: (errors.total() > 0).then(|| errors.to_string()),
        took: outcome.duration(),
    })
}

/// In the order of [`FIGURES`].
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn values(outcome: &Outcome, cpu: Option<Duration>, memory: Option<u64>) -> Vec<Option<f64>> {
    let requests = outcome.requests as f64;
    let answered = |value: f64| (requests > 0.0).then_some(value);
    vec![
        Some(requests / outcome.duration().as_secs_f64()),
        answered(outcome.p50_us as f64 / 1e3),
        answered(outcome.p99_us as f64 / 1e3),
        cpu.and_then(|cpu| answered(cpu.as_secs_f64() / requests * 1e5)),
        memory.map(|bytes| bytes as f64 / f64::from(1 << 20)),
    ]
}
