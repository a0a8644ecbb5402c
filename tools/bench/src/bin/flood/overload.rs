//! More requests at once than there may be: those that are served, and those that are refused.

use crate::honest::Outcome;
use crate::wire::Wire;
use anyhow::Result;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How many ask at once.
pub const CLIENTS: usize = 256;
/// How many of them may.
pub const CAP: usize = 64;
/// What a client does once refused.
const PAUSE: Duration = Duration::from_millis(100);

/// Those that were answered, and those that were refused; failed are those that were neither.
#[derive(Default)]
pub struct Outcomes {
    pub served: Outcome,
    pub refused: Outcome,
}

/// Has all clients ask for `time`.
pub async fn measure(address: SocketAddr, request: &str, time: Duration) -> Outcomes {
    let end = Instant::now() + time;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let request = request.to_owned();
        clients.spawn(async move {
            let mut outcomes = Outcomes::default();
            if let Err(error) = ask(address, &request, end, &mut outcomes).await {
                outcomes.served.failures.push(format!("{error:#}"));
            }
            outcomes
        });
    }
    let mut all = Outcomes::default();
    while let Some(outcomes) = clients.join_next().await {
        let outcomes = outcomes.unwrap_or_default();
        all.served.add(outcomes.served);
        all.refused.add(outcomes.refused);
    }
    all
}

async fn ask(
    address: SocketAddr,
    request: &str,
    end: Instant,
    outcomes: &mut Outcomes,
) -> Result<()> {
    let mut wire = Wire::new(TcpStream::connect(address).await?)?;
    while Instant::now() < end {
        let begun = Instant::now();
        match wire.ask(request).await? {
            200 => outcomes.served.latencies.push(begun.elapsed()),
            503 => {
                outcomes.refused.latencies.push(begun.elapsed());
                sleep(PAUSE).await;
            }
            status => outcomes.served.failures.push(status.to_string()),
        }
    }
    Ok(())
}
