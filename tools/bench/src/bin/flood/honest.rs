//! Honest clients, and how long they wait for their responses.

use anyhow::Result;
use bench::client::Client;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How many there are.
const CLIENTS: u32 = 32;
/// What each of them does between two requests.
const PAUSE: Duration = Duration::from_millis(20);

/// What a number of requests came to.
#[derive(Default)]
pub struct Outcome {
    /// How long each response took.
    pub latencies: Vec<Duration>,
    /// What those got that had no response, or none that counts.
    pub failures: Vec<String>,
}

impl Outcome {
    /// The latency that so many in a hundred do not exceed.
    pub fn percentile(&mut self, percent: usize) -> Option<Duration> {
        self.latencies.sort_unstable();
        let last = self.latencies.len().checked_sub(1)?;
        let place = (self.latencies.len() * percent / 100).min(last);
        self.latencies.get(place).copied()
    }
}

/// Has all of them ask, each over a connection that it keeps, for `time`.
pub async fn measure(address: SocketAddr, request: &str, time: Duration) -> Outcome {
    let end = Instant::now() + time;
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let request = request.to_owned();
        clients.spawn(async move {
            sleep(PAUSE * client / CLIENTS).await; // Not all in step.
            let mut outcome = Outcome::default();
            while Instant::now() < end {
                if let Err(error) = ask(address, &request, end, &mut outcome).await {
                    outcome.failures.push(format!("{error:#}"));
                }
            }
            outcome
        });
    }
    let mut all = Outcome::default();
    while let Some(outcome) = clients.join_next().await {
        match outcome {
            Ok(outcome) => {
                all.latencies.extend(outcome.latencies);
                all.failures.extend(outcome.failures);
            }
            Err(error) => all.failures.push(error.to_string()),
        }
    }
    all
}

/// Over one connection, until it fails or it is time.
async fn ask(
    address: SocketAddr,
    request: &str,
    end: Instant,
    outcome: &mut Outcome,
) -> Result<()> {
    let mut client = Client::connect(address, None).await?;
    while Instant::now() < end {
        let begun = Instant::now();
        match client.ask(request.as_bytes()).await?.status {
            200 => outcome.latencies.push(begun.elapsed()),
            status => outcome.failures.push(status.to_string()),
        }
        sleep(PAUSE).await;
    }
    Ok(())
}
