//! Keep-alive clients that each go round a share of the sessions.

use crate::client::Client;
use anyhow::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What a round of load found.
#[derive(Debug)]
pub struct Round {
    /// Requests a second.
    pub rate: f64,
    /// Requests in all.
    pub requests: usize,
    /// How long each took, in microseconds, sorted.
    times: Vec<u32>,
}

impl Round {
    /// The time within which this share of the requests was answered, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index within a Vec"
        )]
        let index = (self.times.len() as f64 * share) as usize;
        let time = self.times.get(index).or(self.times.last());
        f64::from(time.copied().unwrap_or_default()) / 1000.0
    }
}

/// Sends each of these requests once, and with `lasting` again and again for so long. Each is to
/// be answered with this status.
///
/// # Errors
/// A connection failed, or an answer had another status.
pub async fn load(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    clients: usize,
    lasting: Option<Duration>,
    status: &'static str,
) -> Result<Round> {
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for first in 0..clients {
        let requests = Arc::clone(requests);
        all.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut times = Vec::new();
            let mut index = first;
            while lasting.map_or(index < requests.len(), |limit| begun.elapsed() < limit) {
                let sent = Instant::now();
                client
                    .ask(&requests[index % requests.len()], status)
                    .await?;
                times.push(u32::try_from(sent.elapsed().as_micros())?);
                index += clients;
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = all.join_next().await {
        times.extend(ended??);
    }
    let took = begun.elapsed();
    times.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(Round {
        rate: times.len() as f64 / took.as_secs_f64(),
        requests: times.len(),
        times,
    })
}
