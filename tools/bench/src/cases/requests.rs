//! Cases of HTTP requests: each load on each server, in interleaved rounds.

use crate::fleet::{Fleet, Peer};
use crate::load::{Load, Outcome, Tools};
use crate::proc;
use crate::rounds::{self, Measured};
use crate::settings::Settings;
use crate::table::{Figure, Table};
use crate::target::Target;
use crate::upstream;
use anyhow::Result;
use std::time::Duration;
use tokio::time::sleep;

/// What is measured of each server.
pub(super) const FIGURES: &[Figure] = &[
    Figure::new("requests/s", 0),
    Figure::new("p50 ms", 2),
    Figure::new("p99 ms", 2),
    Figure::new("CPU s/100k", 2),
    Figure::new("memory MiB", 1),
];

/// Long enough that pools are filled and pages are touched.
pub(super) const WARM_UP: Duration = Duration::from_secs(1);

/// One table for each load; with `tls` the servers speak it.
pub(super) async fn run(
    settings: &Settings,
    tls: bool,
    peers: &[Peer],
    loads: &[Load],
) -> Result<Vec<Table>> {
    let upstream = upstream::start().await?;
    let fleet = Fleet::start(settings, tls, upstream.address(), peers).await?;
    let tools = Tools::new(fleet.certificate())?;
    let mut tables = Vec::new();
    for load in loads {
        let mut table = Table::new(&load.title, FIGURES).with_goals(load.goals);
        for target in fleet.targets() {
            check(load, target).await?;
            tools.run(load, target, WARM_UP).await?;
        }
        rounds::run(settings, &mut table, fleet.targets(), async |target| {
            measure(load, &tools, target, settings.time()).await
        })
        .await?;
        for target in fleet.targets() {
            check(load, target).await?;
        }
        tables.push(table);
    }
    Ok(tables)
}

pub(super) async fn check(load: &Load, target: &Target) -> Result<()> {
    target.check(load.path, load.body, load.length).await
}

pub(super) async fn measure(
    load: &Load,
    tools: &Tools,
    target: &Target,
    time: Duration,
) -> Result<Measured> {
    let memory = async {
        sleep(time / 2).await;
        proc::memory_of(&target.pids)
    };
    let before = proc::cpu_of(&target.pids)?;
    let (outcome, memory) = tokio::try_join!(tools.run(load, target, time), memory)?;
    let after = proc::cpu_of(&target.pids)?;
    let cpu = after.zip(before);
    let cpu = cpu.map(|(after, before)| after.saturating_sub(before));
    Ok(Measured {
        values: values(&outcome, cpu, memory),
        took: outcome.took,
    })
}

/// In the order of [`FIGURES`].
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn values(outcome: &Outcome, cpu: Option<Duration>, memory: Option<u64>) -> Vec<Option<f64>> {
    let requests = outcome.requests as f64;
    vec![
        Some(requests / outcome.took.as_secs_f64()),
        Some(outcome.p50),
        Some(outcome.p99),
        cpu.map(|cpu| cpu.as_secs_f64() / requests * 1e5),
        memory.map(|bytes| bytes as f64 / f64::from(1 << 20)),
    ]
}
