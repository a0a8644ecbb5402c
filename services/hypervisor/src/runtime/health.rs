//! When a sandbox counts as healthy, and when no longer.

use super::probe::ProbeError;
use super::state::SandboxState;
use crate::config::Address;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// The pause between probes of a sandbox that starts is a tenth of the time that it has taken, in
/// these bounds: a cold start is as fast as the sandbox, and a slow one is not disturbed.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Probes in a row that must fail before a running sandbox is given up.
pub(super) const FAILURE_THRESHOLD: u32 = 3;

/// Resolves once it is healthy, with where it is.
///
/// # Errors
/// What the last probe found, if that takes longer than `runtime.start_secs`.
pub(super) async fn healthy(state: &SandboxState, address: &Address) -> Result<SocketAddr, String> {
    let mut last = None;
    let probing = async {
        let begun = Instant::now();
        loop {
            match state.find(address).await {
                Ok(place) => return place,
                Err(error) => last = Some(error),
            }
            sleep((begun.elapsed() / 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)).await;
        }
    };
    let in_time = timeout(state.start_limit(), probing).await;
    in_time.map_err(|_| {
        let secs = state.config.start_secs;
        let last = last.as_ref().map(ProbeError::to_string).unwrap_or_default();
        format!("not healthy within {secs} s: {last}")
    })
}

/// Resolves once a running sandbox answers no more, with what the last probe found.
pub(super) async fn hung(state: &SandboxState, address: SocketAddr) -> String {
    let mut failed = 0;
    loop {
        sleep(state.probe_pause()).await;
        match state.probe(address).await {
            Ok(()) => failed = 0,
            Err(error) => {
                failed += 1;
                tracing::warn!(sandbox = state.spec.name, failed, %error, "probe failed");
                if failed == FAILURE_THRESHOLD {
                    return format!("{FAILURE_THRESHOLD} probes in a row failed: {error}");
                }
            }
        }
    }
}
