//! `make bench CASE=growth`: what a request, a start and an idle workspace cost, with few and
//! with many workspaces and sessions. Prints markdown.

mod client;
mod fill;
mod load;
mod site;
mod upstream;
mod usage;

use anyhow::Result;
use bench::figures::{Figure, markdown, short};
use clap::Parser;
use fill::Amounts;
use site::Site;
use std::path::PathBuf;
use std::time::Duration;

/// Keep-alive connections of the load.
const CLIENTS: usize = 64;
const MIB: f64 = 1024.0 * 1024.0;

/// Measures how the hypervisor's costs grow.
#[derive(Parser)]
struct Options {
    /// The hypervisor; the one beside this program by default. Its sandbox lies beside it.
    #[arg(long)]
    hypervisor: Option<PathBuf>,
    /// Runs of each, interleaved.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of load in a run.
    #[arg(long, default_value_t = 3)]
    secs: u64,
    /// The numbers of workspaces.
    #[arg(long, value_delimiter = ',', default_value = "1,100,10000")]
    workspaces: Vec<u32>,
    /// The numbers of sessions.
    #[arg(long, value_delimiter = ',', default_value = "1000,1000000")]
    sessions: Vec<u32>,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn main() -> Result<()> {
    let mut options = Options::parse();
    let beside = std::env::current_exe()?.with_file_name("hypervisor");
    let hypervisor = options.hypervisor.take().unwrap_or(beside);
    let bin = std::path::absolute(hypervisor)?;
    let upstream = upstream::start()?;
    println!("{}", adopted(&options, &bin, upstream).await?);
    println!("{}", created(&options, &bin).await?);
    println!("{}", sessions(&options, &bin, upstream).await?);
    Ok(())
}

/// Declared workspaces that all lead to one web service: what a request costs.
async fn adopted(options: &Options, bin: &std::path::Path, upstream: u16) -> Result<String> {
    let mut sites = Vec::new();
    for &users in &options.workspaces {
        let amounts = Amounts {
            users,
            sessions: users,
        };
        sites.push((users, Site::adopting(bin, amounts, upstream).await?));
    }
    let mut rows = vec![Row::default(); sites.len()];
    for _ in 0..options.rounds {
        for ((_, site), row) in sites.iter_mut().zip(&mut rows) {
            row.start(&site.start().await?);
            // The first request to each sandbox opens a connection to it.
            load::load(site.address(), &site.requests, CLIENTS, None).await?;
            row.load(site, options).await?;
            site.stop().await?;
        }
    }
    Ok(markdown(
        "Declared workspaces, one user each (`adopt`), 64 keep-alive clients",
        &[
            "workspaces",
            "start ms",
            "first proxied answer ms",
            "memory at rest MiB",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "CPU s per 100k requests",
            "memory after MiB",
        ],
        &table(&sites, &rows, |row| {
            vec![
                &row.start, &row.first, &row.rest, &row.rate, &row.p50, &row.p99, &row.cpu,
                &row.after,
            ]
        }),
    ))
}

/// Workspaces that were made for their users: what an idle one costs.
async fn created(options: &Options, bin: &std::path::Path) -> Result<String> {
    let mut sites = Vec::new();
    for &users in &options.workspaces {
        let amounts = Amounts { users, sessions: 0 };
        sites.push((users, Site::with_processes(bin, amounts).await?));
    }
    let mut rows = vec![Row::default(); sites.len()];
    for _ in 0..options.rounds {
        for ((_, site), row) in sites.iter_mut().zip(&mut rows) {
            row.start(&site.start().await?);
            row.commands(site).await?;
            site.stop().await?;
        }
    }
    let text = markdown(
        "Idle workspaces (`process`)",
        &[
            "workspaces",
            "start ms",
            "memory at rest MiB",
            "`hypervisor users` ms",
            "`hypervisor sandboxes` ms",
        ],
        &table(&sites, &rows, |row| {
            vec![&row.start, &row.rest, &row.users, &row.sandboxes]
        }),
    );
    Ok(text + &each(&sites, &rows))
}

/// What one more workspace takes, by the first and the last row.
fn each(sites: &[(u32, Site)], rows: &[Row]) -> String {
    let (Some((few, _)), Some((many, _))) = (sites.first(), sites.last()) else {
        return String::new();
    };
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return String::new();
    };
    if few == many {
        return String::new();
    }
    let bytes = (last.rest.median() - first.rest.median()) * MIB / f64::from(many - few);
    format!("\nAn idle workspace takes {} bytes.\n", short(bytes))
}

/// Many sessions of a few users.
async fn sessions(options: &Options, bin: &std::path::Path, upstream: u16) -> Result<String> {
    const USED: u32 = 1000;
    let mut sites = Vec::new();
    for &sessions in &options.sessions {
        let amounts = Amounts {
            users: 100,
            sessions,
        };
        let mut site = Site::adopting(bin, amounts, upstream).await?;
        // Spread over all of them.
        let used = sessions.min(USED);
        site.use_sessions((0..used).map(|number| number * (sessions / used)));
        sites.push((sessions, site));
    }
    let mut rows = vec![Row::default(); sites.len()];
    for _ in 0..options.rounds {
        for ((_, site), row) in sites.iter_mut().zip(&mut rows) {
            row.start(&site.start().await?);
            let first = load::load(site.address(), &site.requests, 1, None).await?;
            row.each_first.add(first.percentile(0.5));
            row.load(site, options).await?;
            row.commands(site).await?;
            site.stop().await?;
        }
    }
    Ok(markdown(
        "Sessions in the store, 1,000 of them in use",
        &[
            "sessions",
            "start ms",
            "memory at rest MiB",
            "a session's first request, p50 ms",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "CPU s per 100k requests",
            "memory after MiB",
            "`hypervisor users` ms",
        ],
        &table(&sites, &rows, |row| {
            vec![
                &row.start,
                &row.rest,
                &row.each_first,
                &row.rate,
                &row.p50,
                &row.p99,
                &row.cpu,
                &row.after,
                &row.users,
            ]
        }),
    ))
}

/// The figures of one amount.
#[derive(Default, Clone)]
struct Row {
    start: Figure,
    first: Figure,
    rest: Figure,
    each_first: Figure,
    rate: Figure,
    p50: Figure,
    p99: Figure,
    cpu: Figure,
    after: Figure,
    users: Figure,
    sandboxes: Figure,
}

impl Row {
    fn start(&mut self, start: &site::Start) {
        self.start.add(millis(start.answered));
        if let Some(proxied) = start.proxied {
            self.first.add(millis(proxied));
        }
        self.rest.add(mib(start.memory));
    }

    async fn load(&mut self, site: &Site, options: &Options) -> Result<()> {
        let lasting = Some(Duration::from_secs(options.secs));
        let before = usage::cpu(site.pid())?;
        let round = load::load(site.address(), &site.requests, CLIENTS, lasting).await?;
        let cpu = usage::cpu(site.pid())?.saturating_sub(before);
        self.rate.add(round.rate);
        self.p50.add(round.percentile(0.5));
        self.p99.add(round.percentile(0.99));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        self.cpu
            .add(cpu.as_secs_f64() * 100_000.0 / round.requests as f64);
        self.after.add(mib(site.memory()?));
        Ok(())
    }

    async fn commands(&mut self, site: &Site) -> Result<()> {
        self.users
            .add(millis(site.command(&["users", "--json"]).await?));
        let sandboxes = site.command(&["sandboxes", "--json"]).await?;
        self.sandboxes.add(millis(sandboxes));
        Ok(())
    }
}

fn table(
    sites: &[(u32, Site)],
    rows: &[Row],
    figures: impl Fn(&Row) -> Vec<&Figure>,
) -> Vec<Vec<String>> {
    let cells = |((amount, _), row): (&(u32, Site), &Row)| {
        let figures = figures(row);
        let figures = figures.into_iter().map(ToString::to_string);
        std::iter::once(amount.to_string()).chain(figures).collect()
    };
    sites.iter().zip(rows).map(cells).collect()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
