//! What a request and a workspace cost, with few workspaces and with many: each is declared, has a
//! user with a session, and has sandboxes at addresses of their own.

use super::{requests, small};
use crate::client::{Client, Stream};
use crate::fill;
use crate::load::Tools;
use crate::proc;
use crate::progress::say;
use crate::settings::Settings;
use crate::table::{Figure, Table};
use crate::target::Target;
use crate::upstream;
use anyhow::{Context, Result, bail};
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use testkit::harness::Hypervisor;
use tokio::time::sleep;

const AMOUNTS: [u32; 3] = [1, 100, 10_000];
const MIB: f64 = 1024.0 * 1024.0;
const AT_REST: &str = "MiB at rest";
const FIGURES: &[Figure] = &[
    Figure::new("start ms", 0),
    Figure::new(AT_REST, 1),
    Figure::new("requests/s", 0),
    Figure::new("p50 ms", 2),
    Figure::new("p99 ms", 2),
    Figure::new("CPU s/100k", 2),
    Figure::new("MiB in use", 1),
];
/// What the first start may take, which writes all workspaces into a new store.
const START_LIMIT: Duration = Duration::from_mins(5);
/// How often each is asked before it is measured.
const ASKED_BEFORE: u64 = 4;
const QUIET: Duration = Duration::from_millis(500);

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let upstream = upstream::everywhere().await?;
    let title = "growth: requests of each workspace's user in turn, 64 connections";
    let mut table = Table::new(title, FIGURES);
    let mut sites = Vec::new();
    for workspaces in AMOUNTS {
        sites.push(Site::new(settings, workspaces, upstream.address().port()).await?);
    }
    for round in 1..=settings.rounds {
        for site in &mut sites {
            let values = site.measure(settings.time()).await?;
            say(format_args!("{title}, round {round}, {}", site.name));
            table.add(site.name, &values);
        }
    }
    table.note(each(&table, &sites)?);
    Ok(vec![table])
}

/// What one more workspace takes.
fn each(table: &Table, sites: &[Site]) -> Result<String> {
    let (few, many) = sites.first().zip(sites.last()).context("no amounts")?;
    let rest = |site: &Site| table.median(site.name, AT_REST).context("not measured");
    let more = f64::from(many.workspaces - few.workspaces);
    let kib = (rest(many)? - rest(few)?) * 1024.0 / more;
    Ok(format!(
        "one more workspace that nobody uses takes {kib:.1} KiB"
    ))
}

/// A hypervisor with so many workspaces.
struct Site {
    name: &'static str,
    workspaces: u32,
    hypervisor: Hypervisor,
    tools: Tools,
}

impl Site {
    async fn new(settings: &Settings, workspaces: u32, upstream: u16) -> Result<Self> {
        let mut hypervisor = Hypervisor::builder(&settings.hypervisor)
            .config(&config(workspaces, upstream))
            .env("HYPERVISOR_LOG_FILTER", "warn")
            .env("HYPERVISOR_ORIGINS", "own")
            .spawn()?;
        // Now the store has its tables and the declared workspaces.
        first_response(&mut hypervisor).await?;
        stop(&mut hypervisor).await?;
        fill::fill(&hypervisor.state_dir().join("hypervisor.db"), workspaces)?;
        let port = hypervisor.port();
        let visitor = |user| {
            (
                format!("{}:{port}", fill::host(user)),
                fill::cookie(user, port),
            )
        };
        let visitors: Vec<_> = (0..workspaces).map(visitor).collect();
        Ok(Self {
            name: format!("{workspaces} workspaces").leak(),
            workspaces,
            hypervisor,
            tools: Tools::new(None)?.with_visitors(&visitors)?,
        })
    }

    /// In the order of [`FIGURES`].
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    async fn measure(&mut self, time: Duration) -> Result<Vec<Option<f64>>> {
        let begun = Instant::now();
        self.hypervisor.respawn().await?;
        first_response(&mut self.hypervisor).await?;
        let started = begun.elapsed().as_secs_f64() * 1e3;
        let pid = self.hypervisor.pid();
        quiet(pid).await?;
        let at_rest = proc::memory(pid)? as f64 / MIB;
        let target = Target {
            name: self.name,
            address: self.hypervisor.address(),
            host_name: fill::host(0),
            tls: None,
            pids: vec![pid],
            cookie: fill::cookie(0, self.hypervisor.port()),
            checks_session: true,
        };
        let load = small::load("growth");
        requests::check(&load, &target).await?;
        // A grant's first request is looked up in the store, and the first one to a sandbox opens
        // a connection to it, from each worker.
        let mut asked = 0;
        while asked < u64::from(self.workspaces) * ASKED_BEFORE {
            asked += self
                .tools
                .run(&load, &target, requests::WARM_UP)
                .await?
                .requests;
        }
        let mut measured = requests::measure(&load, &self.tools, &target, time)
            .await?
            .values;
        stop(&mut self.hypervisor).await?;
        measured.splice(0..0, [Some(started), Some(at_rest)]);
        Ok(measured)
    }
}

async fn stop(hypervisor: &mut Hypervisor) -> Result<()> {
    hypervisor.sigterm()?;
    hypervisor.wait_exit().await?;
    Ok(())
}

/// Each sandbox has an address of its own, 127.1.0.1 and on, and all lead to the upstream. They are
/// not probed meanwhile.
fn config(workspaces: u32, port: u16) -> String {
    let mut config = "[runtime]\nkind = \"adopt\"\nprobe_secs = 86400\n".to_owned();
    let names = (0..workspaces).map(fill::workspace);
    let mut address = Ipv4Addr::new(127, 1, 0, 1).to_bits();
    for name in names.chain(["sandbox".to_owned()]) {
        for role in ["live", "dev"] {
            let at = SocketAddr::from((Ipv4Addr::from_bits(address), port));
            address += 1;
            // Writing into a String cannot fail.
            let _ = write!(
                config,
                "[workspaces.{name}.{role}]\naddress = \"{at}\"\n\
                 health_path = \"/small\"\nidentity = false\n"
            );
        }
    }
    config
}

/// Resolves at the first response to `GET /health`.
async fn first_response(hypervisor: &mut Hypervisor) -> Result<()> {
    let address = hypervisor.address();
    let request = format!("GET /health HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let begun = Instant::now();
    while begun.elapsed() < START_LIMIT && hypervisor.process().exited()?.is_none() {
        if let Ok(stream) = Stream::connect(address, None).await {
            // It listens before it serves, so that this waits for just the right time.
            let response = Client::over(stream).ask(request.as_bytes()).await;
            if response.is_ok_and(|response| response.status == 200) {
                return Ok(());
            }
        }
        sleep(Duration::from_millis(1)).await;
    }
    bail!("no response: {}", hypervisor.process().transcript())
}

/// Resolves once the process has used no CPU for half a second; after ten seconds in any case.
async fn quiet(pid: u32) -> Result<()> {
    let mut before = proc::cpu(pid)?;
    for _ in 0..20 {
        sleep(QUIET).await;
        let now = proc::cpu(pid)?;
        if now == before {
            break;
        }
        before = now;
    }
    Ok(())
}
