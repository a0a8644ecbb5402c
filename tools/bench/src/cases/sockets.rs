//! The cost of a message: WebSockets that echo.

use crate::echo::Echo;
use crate::fleet::Fleet;
use crate::proc;
use crate::rounds::{self, Measured};
use crate::settings::Settings;
use crate::sockets::{Echoes, MESSAGE, Sockets, Window};
use crate::table::{Figure, Table};
use crate::target::Target;
use anyhow::Result;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

const FIGURES: &[Figure] = &[
    Figure::new("messages/s", 0),
    Figure::new("p50 ms", 2),
    Figure::new("p99 ms", 2),
    Figure::new("CPU s/100k", 2),
    Figure::new("memory MiB", 1),
];

const WARM_UP: Duration = Duration::from_secs(1);

/// Each socket is two files for the echo and its clients together, and two for a proxy.
const FILES_BESIDE: usize = 1000;

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let echo = Echo::start()?;
    let fleet = Fleet::start(settings, echo.address()).await?;
    let mut tables = Vec::new();
    for count in [100, 5000] {
        crate::files::allow((2 * count + FILES_BESIDE).try_into()?)?;
        let title = format!("sockets: {MESSAGE}-byte echoes over {count} WebSockets");
        let mut table = Table::new(&title, FIGURES);
        rounds::run(settings, &mut table, &fleet.targets(), async |target| {
            measure(target, count, settings.time()).await
        })
        .await?;
        tables.push(table);
    }
    Ok(tables)
}

async fn measure(target: &Target, count: usize, time: Duration) -> Result<Measured> {
    let sockets = Sockets::open(target, count).await?;
    let from = Instant::now() + WARM_UP;
    let until = from + time;
    sockets.begin(Window { from, until });
    sleep_until(from.into()).await;
    let begun = Instant::now();
    let before = target.pid.map(proc::cpu).transpose()?;
    sleep_until((from + time / 2).into()).await;
    let memory = target.pid.map(proc::memory).transpose()?;
    sleep_until(until.into()).await;
    let after = target.pid.map(proc::cpu).transpose()?;
    let took = begun.elapsed();
    let echoes = sockets.finish().await?;
    let cpu = after.zip(before);
    let cpu = cpu.map(|(after, before)| after.saturating_sub(before));
    Ok(Measured {
        values: values(&echoes, took, cpu, memory),
        fault: (echoes.messages == 0).then(|| "no message came back".to_owned()),
        took,
    })
}

/// In the order of [`FIGURES`].
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn values(
    echoes: &Echoes,
    took: Duration,
    cpu: Option<Duration>,
    memory: Option<u64>,
) -> Vec<Option<f64>> {
    let messages = echoes.messages as f64;
    let ms = |us: Option<u32>| us.map(|us| f64::from(us) / 1e3);
    let cpu = cpu.filter(|_| echoes.messages > 0);
    vec![
        Some(messages / took.as_secs_f64()),
        ms(echoes.p50_us),
        ms(echoes.p99_us),
        cpu.map(|cpu| cpu.as_secs_f64() / messages * 1e5),
        memory.map(|bytes| bytes as f64 / f64::from(1 << 20)),
    ]
}
