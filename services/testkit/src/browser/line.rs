//! The line between the browser and the server, and what a page asks for over it.

use super::page::Page;
use chromiumoxide::cdp::browser_protocol::network::{
    EmulateNetworkConditionsByRuleParams, EnableParams, NetworkConditions,
};
use std::time::Duration;

/// The addresses that the page has asked for, each with how many responses it waited for one after
/// the other, its own among them.
const ROUND_TRIPS: &str = "(() => {
    const all = performance.getEntriesByType('resource').toSorted((a, b) => a.startTime - b.startTime);
    const trips = new Map();
    for (const one of all) {
        const before = all.filter((other) => other.responseEnd <= one.startTime);
        trips.set(one, 1 + Math.max(0, ...before.map((other) => trips.get(other))));
    }
    return all.map((one) => [new URL(one.name).pathname, trips.get(one)]);
})()";

impl Page {
    /// From now on each response takes so long to come.
    pub async fn delay(&self, latency: Duration) {
        let enabled = self.inner.execute(EnableParams::default()).await;
        enabled.expect("the network can be driven");
        let millis = latency.as_secs_f64() * 1000.0;
        let all = NetworkConditions::new("", millis, -1.0, -1.0);
        let slow = EmulateNetworkConditionsByRuleParams::new(false, vec![all]);
        let slowed = self.inner.execute(slow).await;
        slowed.expect("a line can be slow");
    }

    /// What the page has asked for, behind so many round trips after its HTML each.
    pub async fn round_trips(&self) -> Vec<(String, usize)> {
        self.eval(ROUND_TRIPS).await
    }
}
