//! What auth does in the background: forgets what has ended, and writes down what was seen.

use super::{Auth, AuthError};
use crate::store::Timestamp;
use std::sync::{Arc, Weak};
use std::time::Duration;

const EVERY: Duration = Duration::from_mins(1);

/// Keeps house until the last handle on `auth` is gone.
pub(super) fn spawn(auth: &Arc<Auth>) {
    let auth = Arc::downgrade(auth);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(auth) = Weak::upgrade(&auth) else {
                return;
            };
            if let Err(error) = auth.tidy().await {
                tracing::warn!(%error, "could not tidy the sessions; trying again in a minute");
            }
        }
    });
}

impl Auth {
    /// Forgets what has ended or is too old, and writes down when sessions were last seen. Runs every minute
    /// by itself; worth another call before the program ends.
    ///
    /// # Errors
    /// The store's.
    pub async fn tidy(self: &Arc<Self>) -> Result<(), AuthError> {
        self.run(|auth, store| {
            auth.ceremonies.tidy();
            auth.limits.tidy();
            let now = Timestamp::now();
            store.tidy_sessions(&auth.sessions.seen_since_last_time(now), now)?;
            auth.sessions.tidy(now);
            if !auth.audit_lasts.is_zero() {
                store.tidy_audit(now.before(auth.audit_lasts))?;
            }
            Ok(())
        })
        .await
    }
}
