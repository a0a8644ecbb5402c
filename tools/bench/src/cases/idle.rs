//! The cost of a client that has nothing to say: what a kept connection takes in memory.

use super::{fresh, requests, small};
use crate::client::{Client, request};
use crate::fleet::{Fleet, Peer};
use crate::goal::{Bound, Goal};
use crate::load::{Load, Tools};
use crate::proc;
use crate::progress::say;
use crate::settings::Settings;
use crate::table::{Figure, Table};
use crate::target::Target;
use crate::upstream;
use anyhow::{Context, Result, ensure};
use futures_util::FutureExt;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tokio::time::sleep;

const CONNECTIONS: usize = 10_000;
/// How many are opened at once.
const OPENING: usize = 50;
/// What a server may do after the last request before its memory is read.
const REST: Duration = Duration::from_secs(1);
/// Memory is much the same in each.
const MAX_ROUNDS: u32 = 2;
const PER_CONNECTION: &str = "KiB/connection";
const FIGURES: &[Figure] = &[
    Figure::new(PER_CONNECTION, 2),
    Figure::new("MiB before", 1),
    Figure::new("MiB with all", 1),
];
const GOALS: &[Goal] = &[Goal {
    figure: PER_CONNECTION,
    bound: Bound::AtMost(2.0),
    peers: &[Peer::Haproxy],
}];

/// Each round has new servers: one that has had so many connections keeps memory for more.
pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let upstream = upstream::start().await?;
    let mut tables = Vec::new();
    for (tls, how, goals) in [(false, "without TLS", GOALS), (true, "with TLS", &[])] {
        let title = format!("idle: {CONNECTIONS} connections {how} after one request each");
        let mut table = Table::new(&title, FIGURES).with_goals(goals);
        for round in 1..=settings.rounds.min(MAX_ROUNDS) {
            let fleet = Fleet::start(settings, tls, upstream.address(), fresh::PEERS).await?;
            let tools = Tools::new(fleet.certificate())?;
            for target in fleet.targets() {
                let name = target.name;
                let values = measure(target, &tools).await.context(name)?;
                say(format_args!("{title}, round {round}, {name}"));
                table.add(name, &values);
            }
        }
        tables.push(table);
    }
    Ok(tables)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
async fn measure(target: &Target, tools: &Tools) -> Result<Vec<Option<f64>>> {
    let load: Load = small::load("warm-up");
    requests::check(&load, target).await?;
    // What every server needs once, whoever comes, is not the connections'.
    tools.run(&load, target, requests::WARM_UP).await?;
    sleep(REST).await;
    let memory = || proc::memory_of(&target.pids).map(Option::unwrap_or_default);
    let before = memory()?;
    let mut connections = open(target, load.length).await?;
    sleep(REST).await;
    let with_all = memory()?;
    let open = |client: &mut Client| client.stream().read(&mut [0]).now_or_never().is_none();
    let closed = connections
        .iter_mut()
        .filter_map(|it| (!open(it)).then_some(()));
    let closed = closed.count();
    ensure!(
        closed == 0,
        "{closed} of {CONNECTIONS} idle connections were closed"
    );
    let mib = |bytes: u64| Some(bytes as f64 / f64::from(1 << 20));
    let each = (with_all as f64 - before as f64) / 1024.0 / CONNECTIONS as f64;
    Ok(vec![Some(each), mib(before), mib(with_all)])
}

async fn open(target: &Target, length: usize) -> Result<Vec<Client>> {
    let mut open = Vec::with_capacity(CONNECTIONS);
    while open.len() < CONNECTIONS {
        let batch = (0..OPENING).map(|_| one(target.clone(), length));
        let mut batch = batch.collect::<JoinSet<_>>();
        while let Some(client) = batch.join_next().await {
            open.push(client?.context("an idle connection")?);
        }
    }
    Ok(open)
}

async fn one(target: Target, length: usize) -> Result<Client> {
    let mut client = Client::over(target.connect().await?);
    let request = request(&target, "/small", None, &target.cookie_line());
    let response = client.ask(&request).await?;
    ensure!(
        response.status == 200 && response.length == length,
        "{response:?}"
    );
    Ok(client)
}
