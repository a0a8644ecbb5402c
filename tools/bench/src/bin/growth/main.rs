//! `make bench CASE=growth`: what a request, a start and an idle workspace cost, with few and
//! with many workspaces and sessions. Prints markdown.

mod client;
mod figures;
mod fill;
mod load;
mod rest;
mod site;
mod upstream;

use anyhow::Result;
use bench::runs::{Figure, markdown, short};
use clap::Parser;
use figures::{CLIENTS, Figures, MIB};
use fill::Amounts;
use site::{Site, adopting};
use std::path::PathBuf;

/// Sessions in use where there are many.
const USED: u32 = 1000;

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

/// One amount: its hypervisor, and what was measured of it.
struct Case {
    amount: u32,
    site: Site,
    figures: Figures,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn main() -> Result<()> {
    let mut options = Options::parse();
    let beside = std::env::current_exe()?.with_file_name("hypervisor");
    let bin = std::path::absolute(options.hypervisor.take().unwrap_or(beside))?;
    let bench = Bench {
        bin,
        upstream: upstream::start()?,
        options,
    };
    println!("{}", bench.requests().await?);
    println!("{}", bench.idle("process", |_| Ok(String::new())).await?);
    let adopted = |workspaces| adopting(workspaces, bench.upstream, 10);
    println!("{}", bench.idle("adopt", adopted).await?);
    println!("{}", bench.sessions().await?);
    Ok(())
}

struct Bench {
    bin: PathBuf,
    upstream: u16,
    options: Options,
}

impl Bench {
    /// Starts with `amount` of something, as the store is made up of it by `of`.
    async fn case(&self, amount: u32, of: Amounts, config: &str, used: u32) -> Result<Case> {
        let site = Site::new(&self.bin, of, config, used).await?;
        Ok(Case {
            amount,
            site,
            figures: Figures::default(),
        })
    }

    /// Declared workspaces, each with a user who has a session: what a request costs. They are
    /// not probed meanwhile.
    async fn requests(&self) -> Result<String> {
        let mut cases = Vec::new();
        for &users in &self.options.workspaces {
            let sessions = users;
            let config = adopting(users, self.upstream, 86_400)?;
            let of = Amounts { users, sessions };
            cases.push(self.case(users, of, &config, users).await?);
        }
        for _ in 0..self.options.rounds {
            for Case { site, figures, .. } in &mut cases {
                figures.start(&site.start().await?);
                // The first request to each sandbox opens a connection to it.
                load::load(site.address(), &site.requests, CLIENTS, None, "200").await?;
                figures.load(site, self.options.secs).await?;
                site.stop().await?;
            }
        }
        let title = "Requests of each workspace's user in turn, 64 keep-alive clients";
        let columns: &[Column] = &[
            ("requests/s", |it| &it.rate),
            ("p50 ms", |it| &it.p50),
            ("p99 ms", |it| &it.p99),
            ("CPU s per 100k requests", |it| &it.cpu),
            ("memory with a connection to each MiB", |it| &it.after),
        ];
        Ok(rendered(title, "workspaces", columns, &cases))
    }

    /// Workspaces that nobody uses.
    async fn idle(&self, runtime: &str, config: impl Fn(u32) -> Result<String>) -> Result<String> {
        let mut cases = Vec::new();
        for &users in &self.options.workspaces {
            let of = Amounts { users, sessions: 0 };
            cases.push(self.case(users, of, &config(users)?, 0).await?);
        }
        for _ in 0..self.options.rounds {
            for Case { site, figures, .. } in &mut cases {
                figures.start(&site.start().await?);
                figures.at_rest(site).await?;
                figures.commands(site).await?;
                site.stop().await?;
            }
        }
        let title = format!("Idle workspaces (`{runtime}`)");
        let columns: &[Column] = &[
            ("start ms", |it| &it.start),
            ("start CPU ms", |it| &it.start_cpu),
            ("memory MiB", |it| &it.rest),
            ("CPU ms in 10 s", |it| &it.rest_cpu),
            ("`hypervisor users` ms", |it| &it.users),
            ("`hypervisor sandboxes` ms", |it| &it.sandboxes),
        ];
        Ok(rendered(&title, "workspaces", columns, &cases) + &each(&cases))
    }

    /// Many sessions of a few users.
    async fn sessions(&self) -> Result<String> {
        let config = adopting(100, self.upstream, 86_400)?;
        let mut cases = Vec::new();
        for &sessions in &self.options.sessions {
            let users = 100;
            let of = Amounts { users, sessions };
            let used = sessions.min(USED);
            cases.push(self.case(sessions, of, &config, used).await?);
        }
        for _ in 0..self.options.rounds {
            for Case { site, figures, .. } in &mut cases {
                figures.start(&site.start().await?);
                let fetched = load::load(site.address(), &site.requests, 1, None, "200").await?;
                figures.fetch.add(fetched.percentile(0.5));
                figures.load(site, self.options.secs).await?;
                figures.strangers(site, self.options.secs).await?;
                figures.commands(site).await?;
                site.stop().await?;
            }
        }
        let title = "Sessions in the store, 1,000 of them in use";
        let columns: &[Column] = &[
            ("start ms", |it| &it.start),
            ("memory at rest MiB", |it| &it.rest),
            ("a session's first request ms", |it| &it.fetch),
            ("requests/s", |it| &it.rate),
            ("p99 ms", |it| &it.p99),
            ("CPU s per 100k requests", |it| &it.cpu),
            ("of nobody", |it| &it.nobody),
            ("with made-up cookies", |it| &it.made_up),
            ("memory after MiB", |it| &it.after),
            ("`hypervisor users` ms", |it| &it.users),
        ];
        Ok(rendered(title, "sessions", columns, &cases))
    }
}

type Column = (&'static str, fn(&Figures) -> &Figure);

fn rendered(title: &str, amount: &str, columns: &[Column], cases: &[Case]) -> String {
    let names = columns.iter().map(|(name, _)| *name);
    let names: Vec<_> = std::iter::once(amount).chain(names).collect();
    let row = |case: &Case| {
        let figures = columns.iter().map(|(_, of)| of(&case.figures).to_string());
        std::iter::once(case.amount.to_string())
            .chain(figures)
            .collect()
    };
    markdown(title, &names, &cases.iter().map(row).collect::<Vec<_>>())
}

/// What one more workspace takes, by the first and the last case.
fn each(cases: &[Case]) -> String {
    let (Some(few), Some(many)) = (cases.first(), cases.last()) else {
        return String::new();
    };
    if few.amount == many.amount {
        return String::new();
    }
    let bytes = (many.figures.rest.median() - few.figures.rest.median()) * MIB;
    let each = bytes / f64::from(many.amount - few.amount);
    format!("\nOne more takes {} bytes.\n", short(each))
}
