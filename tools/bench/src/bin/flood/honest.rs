//! Honest clients, and how long they wait for their answers.

use crate::wire::Wire;
use anyhow::Result;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How many there are.
pub const CLIENTS: u32 = 32;
/// What each of them does between two requests.
pub const PAUSE: Duration = Duration::from_millis(20);

/// What a number of requests came to.
#[derive(Default)]
pub struct Outcome {
    /// How long each answer took, in order of length.
    pub latencies: Vec<Duration>,
    /// What those got that had no answer, or none that counts.
    pub failures: Vec<String>,
}

impl Outcome {
    /// The latency that so many in a hundred do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let at = (self.latencies.len() * percent / 100).min(last);
        self.latencies.get(at).copied().unwrap_or_default()
    }

    pub fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        self.failures.extend(other.failures);
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
        all.add(outcome.unwrap_or_default());
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
    let mut wire = Wire::new(TcpStream::connect(address).await?)?;
    while Instant::now() < end {
        let begun = Instant::now();
        match wire.ask(request).await? {
            200 => outcome.latencies.push(begun.elapsed()),
            status => outcome.failures.push(status.to_string()),
        }
        sleep(PAUSE).await;
    }
    Ok(())
}
