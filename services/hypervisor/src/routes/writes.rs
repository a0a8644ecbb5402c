//! Keeps the counts of requests that may have written to live.

use super::table::Routes;
use std::sync::Arc;
use std::time::Duration;

/// How often the counts are stored: what is lost of them at a crash is a few seconds'.
const PAUSE: Duration = Duration::from_secs(2);

impl Routes {
    /// How many requests may have written to live since the last fork or swap.
    pub fn writes(&self, workspace: &str) -> Option<u64> {
        self.named(workspace).map(|it| it.writes.since_shared())
    }

    /// Stores the counts from time to time, in the background: no request waits for it.
    pub(super) fn keep_writes(self: &Arc<Self>) {
        let routes = Arc::downgrade(self);
        let end = self.end.clone();
        tokio::spawn(async move {
            while end
                .run_until_cancelled(tokio::time::sleep(PAUSE))
                .await
                .is_some()
            {
                let Some(routes) = routes.upgrade() else {
                    return;
                };
                routes.store_writes().await;
            }
        });
    }

    /// Stores the counts that have grown.
    pub async fn store_writes(&self) {
        let grown = self.by_name.iter().filter_map(|entry| {
            let writes = &entry.writes;
            let count = writes.count();
            writes
                .set_stored(count)
                .then(|| (entry.key().to_string(), count))
        });
        let grown: Vec<_> = grown.collect();
        if grown.is_empty() {
            return;
        }
        let stored = self.store.run(move |store| {
            grown
                .iter()
                .try_for_each(|(workspace, count)| store.set_writes(workspace, *count))
        });
        if let Err(error) = stored.await {
            tracing::warn!(%error, "how much was written to live is not stored");
        }
    }
}
