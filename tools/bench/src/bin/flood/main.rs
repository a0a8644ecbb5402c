//! What do honest clients notice of a thousand slow heads, a thousand slow readers and a flood of
//! bodies at once, and what does it cost? Quiet and flooded rounds take turns, and Markdown
//! tables are printed.

mod attack;
mod gateway;
mod honest;
mod overload;
mod upstream;
mod wire;

use anyhow::Result;
use attack::{Attack, Target};
use clap::Parser;
use gateway::Gateway;
use honest::Outcome;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;
use upstream::Upstream;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What the attack and the honest clients need, and a little more.
const MAX_CONNECTIONS: u64 = 2200;
const MAX_REQUESTS: u64 = 1200;
const MAX_HEADER_BYTES: u64 = 32 * KIB; // As shipped.

/// The ceiling of the hypervisor's memory that follows from these: the README has the formula.
const CEILING: u64 =
    64 * MIB + MAX_CONNECTIONS * (2 * MAX_HEADER_BYTES + 32 * KIB) + MAX_REQUESTS * 256 * KIB;

/// Measures honest clients beside attackers.
#[derive(Parser)]
struct Options {
    /// The hypervisor; by default the one beside this program
    #[arg(long)]
    hypervisor: Option<PathBuf>,
    /// How often quiet and flooded are measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// For how many seconds each time
    #[arg(long, default_value_t = 3)]
    secs: u64,
    /// Megabytes a second of the flood of bodies
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Bytes that a slow head begins with
    #[arg(long, default_value_t = 0)]
    head_bytes: usize,
    /// A header of all attackers, such as `TE: trailers`, which hyper has to serve
    #[arg(long)]
    header: Option<String>,
}

impl Options {
    fn time(&self) -> Duration {
        Duration::from_secs(self.secs)
    }
}

/// A runtime for one thread: those that attack, those that are attacked and those that measure
/// each have their own.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

fn main() -> Result<()> {
    let options = Options::parse();
    testkit::open_files::allow_all()?;
    let report = runtime()?.block_on(run(&options))?;
    Ok(std::io::stdout().write_all(report.as_bytes())?)
}

async fn run(options: &Options) -> Result<String> {
    let beside = std::env::current_exe()?.with_file_name("hypervisor");
    let bin = options.hypervisor.as_ref().unwrap_or(&beside);
    let upstream = Upstream::start()?;
    let caps = format!(
        "[server]\nmax_connections = {MAX_CONNECTIONS}\n\
         [proxy]\nmax_requests = {MAX_REQUESTS}\n"
    );
    let gateway = Gateway::start(bin, &upstream, &caps).await?;
    let mut report = flood(options, &gateway, &upstream).await?;
    drop(gateway);
    let caps = format!("[proxy]\nmax_requests = {}\n", overload::CAP);
    let gateway = Gateway::start(bin, &upstream, &caps).await?;
    report += &overloaded(options, &gateway).await;
    Ok(report)
}

/// The rounds of one kind.
#[derive(Default)]
struct Rounds {
    all: Outcome,
    p99s: Vec<Duration>,
}

impl Rounds {
    fn add(&mut self, round: Outcome) {
        self.p99s.push(round.percentile(99));
        self.p99s.sort_unstable();
        self.all.add(round);
    }

    /// The median of the rounds' p99.
    fn p99(&self) -> Duration {
        self.p99s[self.p99s.len() / 2]
    }

    fn row(&self, name: &str) -> String {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let (least, most) = (self.p99s[0], self.p99s[self.p99s.len() - 1]);
        format!(
            "| {name} | {} | {} | {} | {} ({}–{}) |\n",
            self.all.latencies.len(),
            self.all.failures.len(),
            ms(self.all.percentile(50)),
            ms(self.p99()),
            ms(least),
            ms(most),
        )
    }
}

async fn flood(options: &Options, gateway: &Gateway, upstream: &Upstream) -> Result<String> {
    let address = gateway.hypervisor.address();
    let request = format!("GET / HTTP/1.1\r\n{}\r\n", gateway.headers(&gateway.alice));
    let header = options.header.as_ref();
    let header = header.map_or(String::new(), |header| format!("{header}\r\n"));
    let target = Target {
        address,
        headers: gateway.headers(&gateway.mallory) + &header,
        rate: options.rate,
        head_bytes: options.head_bytes,
    };
    honest::measure(address, &request, options.time()).await; // Warm.
    let before = gateway.memory("VmRSS")?;
    let (mut quiet, mut flooded) = (Rounds::default(), Rounds::default());
    let (mut uploaded, mut cut, mut during) = (0, Vec::new(), 0);
    for _ in 0..options.rounds {
        quiet.add(honest::measure(address, &request, options.time()).await);
        let attack = Attack::begin(&target, upstream).await?;
        flooded.add(honest::measure(address, &request, options.time()).await);
        during = during.max(gateway.memory("VmRSS")?);
        let deeds = attack.end()?;
        uploaded += deeds.uploaded.load(Ordering::Relaxed);
        cut.extend(deeds.cut());
        gateway.calm().await?;
    }
    let mut report = String::from(
        "| honest clients | answers | failed | p50 | p99: median of rounds (range) |\n|---|---|---|---|---|\n",
    );
    report += &quiet.row("quiet");
    report += &flooded.row("flooded");
    let ratio = flooded.p99().as_secs_f64() / quiet.p99().as_secs_f64();
    writeln!(
        report,
        "\np99 flooded / quiet: {ratio:.2}. Memory: {} MiB before, {} MiB during, {} MiB at its highest; \
         the ceiling of this configuration is {} MiB. \
         Attackers: {} slow heads, {} slow readers, {} MB of bodies from {} clients at {} MB/s at most; \
         cut off: {}.\n",
        before / MIB,
        during / MIB,
        gateway.memory("VmHWM")? / MIB,
        CEILING / MIB,
        attack::SLOW_HEADS,
        attack::SLOW_READERS,
        uploaded / 1_000_000,
        attack::UPLOADERS,
        options.rate,
        cut.len(),
    )?;
    report += &failures(&cut);
    report += &failures(&quiet.all.failures);
    report += &failures(&flooded.all.failures);
    Ok(report)
}

/// What went wrong, for the end of a table.
fn failures(all: &[String]) -> String {
    let first: Vec<_> = all.iter().take(3).collect();
    if first.is_empty() {
        return String::new();
    }
    format!("\n{} failed, such as {first:?}\n", all.len())
}

async fn overloaded(options: &Options, gateway: &Gateway) -> String {
    let request = format!(
        "GET /wait HTTP/1.1\r\n{}\r\n",
        gateway.headers(&gateway.alice)
    );
    let outcomes = overload::measure(gateway.hypervisor.address(), &request, options.time()).await;
    let mut report = format!(
        "| {} clients, max_requests = {}, answers take {} ms | answers | p50 | p99 |\n|---|---|---|---|\n",
        overload::CLIENTS,
        overload::CAP,
        upstream::WAIT.as_millis(),
    );
    for (name, outcome) in [
        ("served", &outcomes.served),
        ("refused with 503", &outcomes.refused),
    ] {
        let ms = |percent| outcome.percentile(percent).as_secs_f64() * 1e3;
        let _ = writeln!(
            report,
            "| {name} | {} | {:.2} ms | {:.2} ms |",
            outcome.latencies.len(),
            ms(50),
            ms(99)
        );
    }
    report += &failures(&outcomes.served.failures);
    report
}
