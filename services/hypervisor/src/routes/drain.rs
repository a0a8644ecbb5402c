//! Waits, bounded, until the routes of an old generation hold no more claims.

use super::route::{Pair, Route};
use crate::runtime::DrainGuard;
use std::sync::Arc;
use std::time::Duration;
use tracing::info;

/// Drains both closed routes of `old` in the background.
pub(super) fn spawn(old: &Pair, limit: Duration) {
    for route in old.both() {
        if route.gate.inside() > 0 {
            // Shown from here on, not from the task's first turn: the swap's response comes before.
            let shown = route.sandbox.drain_guard();
            tokio::spawn(drain(route.clone(), shown, limit));
        }
    }
}

async fn drain(route: Arc<Route>, _shown: DrainGuard, limit: Duration) {
    if tokio::time::timeout(limit, route.gate.empty())
        .await
        .is_err()
    {
        info!(
            workspace = %route.workspace, role = %route.role, generation = route.generation,
            sandbox = route.sandbox.name(), claims = route.gate.inside(),
            "the drain is over; what has no end of its own is closed"
        );
        route.drain_deadline.cancel();
    }
}
