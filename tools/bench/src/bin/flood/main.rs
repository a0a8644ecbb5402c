//! `make flood`: what do honest clients notice of those who would keep the gateway from them, and
//! what does it cost? Quiet rounds and each attack take turns, and a Markdown table is printed.

mod attack;
mod honest;
mod http2;
mod slow;

use anyhow::{Context, Result, ensure};
use attack::{Attack, Kind};
use bench::gateway::{HEALTH, HOST};
use bench::table::{Figure, Table};
use bench::{proc, upstream};
use clap::Parser;
use honest::Outcome;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use testkit::client::Client;
use testkit::harness::Hypervisor;
use testkit::person::Person;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What the attack and the honest clients need, and a little more.
const MAX_CONNECTIONS: u64 = 2200;
const MAX_REQUESTS: u64 = 1200;
const MAX_HEADER_BYTES: u64 = 32 * KIB; // As shipped.

/// The ceiling of the hypervisor's memory that follows from these: docs/configuration.md has the formula.
const CEILING: u64 =
    64 * MIB + MAX_CONNECTIONS * (2 * MAX_HEADER_BYTES + 32 * KIB) + MAX_REQUESTS * 256 * KIB;

const QUIET: &str = "quiet";
const P99: &str = "p99 ms";
const CPU: &str = "CPU %";
const FIGURES: &[Figure] = &[
    Figure::new("responses", 0),
    Figure::new("p50 ms", 2),
    Figure::new(P99, 2),
    Figure::new(CPU, 1),
    Figure::new("cut off", 0),
];

/// Measures honest clients beside attackers.
#[derive(Parser)]
struct Options {
    /// The hypervisor; by default the one beside this program
    #[arg(long)]
    hypervisor: Option<PathBuf>,
    /// How often quiet and each attack are measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// For how many seconds each time
    #[arg(long, default_value_t = 3)]
    secs: u64,
    /// HTTP/2 frames a second of all attackers together
    #[arg(long, default_value_t = 200_000)]
    frames: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    testkit::open_files::allow_all()?;
    let upstream = upstream::start().await?;
    let gateway = Gateway::start(&options, upstream.address()).await?;
    let (mut table, mut failures) = (Table::new("flood: honest clients", FIGURES), Vec::new());
    let mut measured = async |name: &str| -> Result<()> {
        let (outcome, values) = gateway.measure(&options, name).await?;
        table.add(name, &values);
        failures.extend(outcome.failures);
        Ok(())
    };
    gateway.honest(&options).await; // Warm.
    for _ in 0..options.rounds {
        measured(QUIET).await?;
        for kind in Kind::ALL {
            measured(kind.name()).await?;
        }
    }
    for kind in Kind::ALL {
        table.note(beside_quiet(&table, kind.name())?);
    }
    let most = proc::status(gateway.hypervisor.pid(), "VmHWM")? / MIB;
    let ceiling = CEILING / MIB;
    table.note(format!(
        "memory at its highest: {most} MiB, where the ceiling of this configuration is {ceiling} MiB"
    ));
    write!(std::io::stdout(), "{table}")?;
    let first: Vec<_> = failures.iter().take(3).collect();
    let count = failures.len();
    ensure!(
        count == 0,
        "{count} honest requests failed, such as {first:?}"
    );
    Ok(())
}

/// What an attack does to the honest, and to the bill.
fn beside_quiet(table: &Table, name: &str) -> Result<String> {
    let ratio = |figure| {
        let of = |name| table.median(name, figure).context("not measured");
        Ok::<_, anyhow::Error>(of(name)? / of(QUIET)?)
    };
    let (p99, cpu) = (ratio(P99)?, ratio(CPU)?);
    Ok(format!(
        "{name}: p99 {p99:.2} × quiet, CPU {cpu:.2} × quiet"
    ))
}

/// The hypervisor under attack, with the browsers of an honest account and of another at the host of
/// their sandbox.
struct Gateway {
    hypervisor: Hypervisor,
    alice: Client,
    mallory: Client,
}

impl Gateway {
    async fn start(options: &Options, upstream: SocketAddr) -> Result<Self> {
        let beside = std::env::current_exe()?.with_file_name("hypervisor");
        let bin = options.hypervisor.as_ref().unwrap_or(&beside);
        let config = format!(
            "registration = \"open\"\n[server]\nmax_connections = {MAX_CONNECTIONS}\n\
             [proxy]\nmax_requests = {MAX_REQUESTS}\n[runtime]\nkind = \"adopt\"\n\
             [workspaces.sandbox]\nmembers = [\"alice\", \"mallory\"]\n\
             live = {{ address = \"{upstream}\", health_path = \"{HEALTH}\", identity = false }}\n\
             dev = {{ port = 9, identity = false }}\n"
        );
        let hypervisor = Hypervisor::builder(bin)
            .env("HYPERVISOR_ORIGINS", "own")
            .config(&config)
            .start()
            .await?;
        let mut browsers = Vec::new();
        for name in ["alice", "mallory"] {
            let person = Person::register(&hypervisor, name).await?;
            browsers.push(person.enter(HOST).await?);
        }
        Ok(Self {
            hypervisor,
            alice: browsers.remove(0),
            mallory: browsers.remove(0),
        })
    }

    /// In the order of [`FIGURES`]: under the attack of this name, or in quiet.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    async fn measure(&self, options: &Options, name: &str) -> Result<(Outcome, Vec<Option<f64>>)> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        let attack = match kind {
            Some(kind) => Some(Attack::begin(kind, &self.target(options)).await?),
            None => None,
        };
        let pid = self.hypervisor.pid();
        let before = proc::cpu(pid)?;
        let mut outcome = self.honest(options).await;
        let cpu = proc::cpu(pid)?.saturating_sub(before);
        let cut = attack.map(Attack::end).transpose()?.unwrap_or_default();
        self.calm().await?;
        let ms = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
        let values = vec![
            Some(outcome.latencies.len() as f64),
            ms(outcome.percentile(50)),
            ms(outcome.percentile(99)),
            Some(cpu.as_secs_f64() * 100.0 / options.secs as f64),
            Some(cut as f64),
        ];
        Ok((outcome, values))
    }

    async fn honest(&self, options: &Options) -> Outcome {
        let request = format!("GET /small HTTP/1.1\r\n{}\r\n", self.headers(&self.alice));
        let time = Duration::from_secs(options.secs);
        honest::measure(self.hypervisor.address(), &request, time).await
    }

    fn target(&self, options: &Options) -> attack::Target {
        attack::Target {
            address: self.hypervisor.address(),
            headers: self.headers(&self.mallory),
            cookie: self.mallory.cookies(),
            frames: options.frames,
        }
    }

    /// What a request of a browser has of headers.
    fn headers(&self, browser: &Client) -> String {
        let (port, cookie) = (self.hypervisor.port(), browser.cookies());
        format!("Host: {HOST}:{port}\r\nCookie: {cookie}\r\n")
    }

    /// Waits until no request holds a sandbox.
    async fn calm(&self) -> Result<()> {
        testkit::wait::eventually("calm", async || {
            let metrics = self.hypervisor.client().get("/metrics").await.ok()?;
            let text = metrics.text();
            text.lines()
                .any(|line| line == "choiros_claims 0")
                .then_some(())
        })
        .await
    }
}
