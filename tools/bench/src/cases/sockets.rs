//! The cost of a message: WebSockets that echo.

use crate::echo::Echo;
use crate::fleet::{Fleet, Peer};
use crate::goal::{Bound, Goal};
use crate::proc;
use crate::rounds::{self, Measured};
use crate::settings::Settings;
use crate::sockets::{Echoes, MESSAGE, Sockets, Window};
use crate::table::{Figure, Table};
use crate::target::Target;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

const COUNT: usize = 5000;
const MEMORY: &str = "memory MiB";
const FIGURES: &[Figure] = &[
    Figure::new("messages/s", 0),
    Figure::new("p50 ms", 2),
    Figure::new("p99 ms", 2),
    Figure::new("CPU s/100k", 2),
    Figure::new(MEMORY, 1),
];
const PEERS: &[Peer] = &[Peer::Nginx, Peer::Haproxy, Peer::Before, Peer::Hypervisor];
const GOALS: &[Goal] = &[Goal {
    figure: MEMORY,
    bound: Bound::AtMost(2.0),
    peers: &[Peer::Haproxy],
}];

const WARM_UP: Duration = Duration::from_secs(1);

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let echo = Echo::start()?;
    let mut tables = Vec::new();
    for (tls, how, peers, goals) in [
        (false, "without TLS", PEERS, GOALS),
        (true, "with TLS", super::fresh::PEERS, &[]),
    ] {
        let fleet = Fleet::start(settings, tls, echo.address(), peers).await?;
        let title = format!("sockets: {MESSAGE}-byte echoes over {COUNT} WebSockets {how}");
        let mut table = Table::new(&title, FIGURES).with_goals(goals);
        rounds::run(settings, &mut table, fleet.targets(), async |target| {
            measure(target, settings.time()).await
        })
        .await?;
        tables.push(table);
    }
    Ok(tables)
}

async fn measure(target: &Target, time: Duration) -> Result<Measured> {
    let sockets = Sockets::open(target, COUNT).await?;
    let from = Instant::now() + WARM_UP;
    let until = from + time;
    sockets.begin(Window { from, until });
    sleep_until(from.into()).await;
    let begun = Instant::now();
    let before = proc::cpu_of(&target.pids)?;
    sleep_until((from + time / 2).into()).await;
    let memory = proc::memory_of(&target.pids)?;
    sleep_until(until.into()).await;
    let after = proc::cpu_of(&target.pids)?;
    let took = begun.elapsed();
    let echoes = sockets.finish().await?;
    ensure!(echoes.messages > 0, "no message came back");
    let cpu = after.zip(before);
    let cpu = cpu.map(|(after, before)| after.saturating_sub(before));
    Ok(Measured {
        values: values(&echoes, took, cpu, memory),
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
    vec![
        Some(messages / took.as_secs_f64()),
        ms(echoes.p50_us),
        ms(echoes.p99_us),
        cpu.map(|cpu| cpu.as_secs_f64() / messages * 1e5),
        memory.map(|bytes| bytes as f64 / f64::from(1 << 20)),
    ]
}
