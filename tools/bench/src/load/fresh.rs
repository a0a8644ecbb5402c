//! A new connection for each request. wrk might resume a TLS session; this client never does.

use super::{Load, Outcome};
use crate::client::{Client, request};
use crate::stats::percentile;
use crate::target::Target;
use crate::threads::Threads;
use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

pub(super) async fn run(load: &Load, target: &Target, time: Duration) -> Result<Outcome> {
    let threads = Threads::new("fresh", 2)?;
    let headers = target.cookie_line() + "Connection: close\r\n";
    let request: Arc<[u8]> = request(target, load.path, load.body, &headers).into();
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..load.connections {
        let (request, target, length) = (Arc::clone(&request), target.clone(), load.length);
        let task = async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < time {
                let sent = Instant::now();
                let mut client = Client::over(target.connect().await?);
                let response = client.ask(&request).await?;
                let fits = response.status == 200 && response.length == length;
                ensure!(fits, "{response:?}");
                latencies.push(u32::try_from(sent.elapsed().as_micros())?);
            }
            Ok(latencies)
        };
        tasks.spawn_on(task, threads.handle());
    }
    let mut latencies = Vec::new();
    while let Some(task) = tasks.join_next().await {
        latencies.extend(task?.context("a new connection")?);
    }
    let took = begun.elapsed();
    let mut ms = |share| percentile(&mut latencies, share).map_or(0.0, |us| f64::from(us) / 1e3);
    Ok(Outcome {
        p50: ms(0.5),
        p99: ms(0.99),
        requests: latencies.len().try_into()?,
        took,
    })
}
