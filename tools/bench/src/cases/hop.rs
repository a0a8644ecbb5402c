//! What a request costs that comes to another machine than its workspace's home: the processor time
//! of both gateways, beside that of the home's alone where it comes there at once.

use super::{requests, small};
use crate::fleet::Peer;
use crate::gateway::{HOST, config};
use crate::goal::{Bound, Goal};
use crate::load::{Load, Tools};
use crate::rounds;
use crate::settings::Settings;
use crate::table::{Figure, Table};
use crate::target::Target;
use crate::upstream;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::Path;
use testkit::cluster::{Cluster, NAMES};
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::postgres::Postgres;

const FIGURES: &[Figure] = &[
    Figure::new("at home CPU s/100k", 2),
    Figure::new("elsewhere CPU s/100k", 2),
    Figure::new("added × at home", 2),
];

const GOALS: &[Goal] = &[Goal {
    figure: "added × at home",
    bound: Bound::AtMost(1.3),
    peers: &[],
}];

/// Where the processor time of 100,000 requests is among what is measured of any.
const CPU: usize = 3;

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let server = Postgres::start()?.context("PostgreSQL is not installed")?;
    let upstream = upstream::start().await?;
    let tools = Tools::new(None)?;
    let mut fleets = vec![(Peer::Hypervisor, &settings.hypervisor)];
    fleets.extend(settings.before.as_ref().map(|it| (Peer::Before, it)));
    let (mut clusters, mut homes, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
    for (peer, program) in fleets {
        let cluster = start(&server, program, upstream.address()).await?;
        let [home, other] = targets(&server, &cluster, peer.name()).await?;
        clusters.push(cluster);
        homes.push(home);
        elsewhere.push(other);
    }
    let mut tables = Vec::new();
    for connections in [64, 4] {
        let title = format!(
            "hop: 100-byte responses over plain HTTP/1.1, {connections} connections, on two machines"
        );
        let load = Load {
            connections,
            ..small::load(&title)
        };
        let mut table = Table::new(&title, FIGURES).with_goals(GOALS);
        for target in homes.iter().chain(&elsewhere) {
            requests::check(&load, target).await?;
            tools.run(&load, target, requests::WARM_UP).await?;
        }
        rounds::run(settings, &mut table, &homes, async |home| {
            let other = elsewhere.iter().find(|it| it.name == home.name);
            let other = other.context("it has another machine")?;
            let at_home = requests::measure(&load, &tools, home, settings.time()).await?;
            let mut measured = requests::measure(&load, &tools, other, settings.time()).await?;
            let (at_home, both) = (at_home.values[CPU], measured.values[CPU]);
            let added = both.zip(at_home).map(|(both, home)| (both - home) / home);
            measured.values = vec![at_home, both, added];
            Ok(measured)
        })
        .await?;
        tables.push(table);
    }
    Ok(tables)
}

async fn start(server: &Postgres, program: &Path, upstream: SocketAddr) -> Result<Cluster> {
    let builder = || {
        Hypervisor::builder(program)
            .env("HYPERVISOR_REGISTRATION", "open")
            .env("HYPERVISOR_ORIGINS", "own")
            .config(&config(upstream))
    };
    let cluster = Cluster::start_without_links(server, builder).await;
    cluster.with_context(|| format!("start {}", program.display()))
}

/// The home of the workspace, and another machine that leads there.
async fn targets(server: &Postgres, cluster: &Cluster, name: &'static str) -> Result<[Target; 2]> {
    let person = Person::register_with(cluster.client(0), "ada").await?;
    let cookie = person.enter(HOST).await?.cookies();
    let home = server.sql(
        &cluster.store,
        "SELECT home FROM workspaces WHERE name = 'sandbox'",
    )?;
    let home = NAMES.iter().position(|it| *it == home);
    let home = home.context("the workspace has a home")?;
    let other = (home + 1) % NAMES.len();
    let target = |gateway: usize, pids: &[usize]| Target {
        name,
        address: cluster.gateways[gateway].address(),
        host_name: HOST.to_owned(),
        tls: None,
        pids: pids.iter().map(|it| cluster.gateways[*it].pid()).collect(),
        cookie: cookie.clone(),
        checks_session: true,
    };
    Ok([target(home, &[home]), target(other, &[home, other])])
}
