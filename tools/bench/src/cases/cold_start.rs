//! From a request to a stopped sandbox until its response, with our sandbox service as a child
//! process of the hypervisor.

use crate::client::{Client, Stream, request};
use crate::fleet::Peer;
use crate::gateway::HOST;
use crate::progress::say;
use crate::settings::Settings;
use crate::stats::percentile;
use crate::table::{Figure, Table};
use crate::target::Target;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use testkit::harness::Hypervisor;
use testkit::person::Person;

/// In each round.
const STARTS: u32 = 50;
const FIGURES: &[Figure] = &[
    Figure::new("p50 ms", 2),
    Figure::new("p99 ms", 2),
    Figure::new("most ms", 2),
];

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let title = format!("cold start: the first request to a stopped sandbox, {STARTS} times");
    let mut table = Table::new(&title, FIGURES);
    let hypervisor = Hypervisor::builder(&settings.hypervisor)
        .env("HYPERVISOR_REGISTRATION", "open")
        .env("HYPERVISOR_ORIGINS", "own")
        .start()
        .await?;
    let person = Person::register(&hypervisor, "ada").await?;
    let browser = person.enter(HOST).await?;
    let target = Target {
        name: Peer::Hypervisor.name(),
        address: hypervisor.address(),
        host_name: HOST.into(),
        tls: None,
        pids: vec![hypervisor.pid()],
        cookie: browser.cookies(),
        checks_session: true,
    };
    // The very first one makes the data folder.
    start(&hypervisor, &target).await?;
    for round in 1..=settings.rounds {
        let mut took = Vec::new();
        for _ in 0..STARTS {
            took.push(u32::try_from(
                start(&hypervisor, &target).await?.as_micros(),
            )?);
        }
        let mut ms = |share| percentile(&mut took, share).map(|us| f64::from(us) / 1e3);
        table.add(target.name, &[ms(0.5), ms(0.99), ms(1.0)]);
        say(format_args!("{title}, round {round}"));
    }
    Ok(vec![table])
}

async fn start(hypervisor: &Hypervisor, target: &Target) -> Result<Duration> {
    let stopped = hypervisor
        .cli(&["sandboxes", "stop", "sandbox", "live"])
        .await?;
    ensure!(stopped.status.success(), "{stopped:?}");
    let mut client = Client::over(Stream::connect(target.address, None).await?);
    let request = request(target, "/", None, &target.cookie_line());
    let begun = Instant::now();
    let response = client.ask(&request).await?;
    ensure!(response.status == 200, "{response:?}");
    Ok(begun.elapsed())
}
