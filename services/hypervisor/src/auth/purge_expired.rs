//! What auth does in the background: forgets what has ended, and writes down what was seen.

use super::horizon::{Horizon, Settled};
use super::{Auth, AuthError};
use crate::store::Store;
use crate::timestamp::Timestamp;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_mins(1);

/// How much running a kill may lose of what makes a day.
const KEPT_EVERY: Duration = Duration::from_hours(1);

/// The clock as it was read.
pub(super) struct Readings(Mutex<Reading>);

struct Reading {
    horizon: Horizon,
    last: Instant,
    unkept: Duration,
}

impl Readings {
    pub(super) fn of(horizon: Horizon) -> Self {
        Self(Mutex::new(Reading {
            horizon,
            last: Instant::now(),
            unkept: Duration::ZERO,
        }))
    }

    /// One more, `ran` after the last; kept in the store now and then, or at once if `keep`.
    fn add(
        &self,
        store: &dyn Store,
        now: Timestamp,
        ran: Duration,
        keep: bool,
    ) -> Result<Settled, AuthError> {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = reading.horizon.read(now, ran);
        reading.unkept += ran;
        if keep || settled.ahead.is_some() || reading.unkept >= KEPT_EVERY {
            reading.horizon.keep(store)?;
            reading.unkept = Duration::ZERO;
        }
        Ok(settled)
    }

    fn past(&self) -> Timestamp {
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.horizon.past()
    }

    /// How long this program ran since the last call.
    fn ran(&self) -> Duration {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = reading.last.elapsed();
        reading.last += ran;
        ran
    }
}

/// Keeps house until the last handle on `auth` is gone.
pub(super) fn spawn(auth: &Arc<Auth>) {
    let auth = Arc::downgrade(auth);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(auth) = Weak::upgrade(&auth) else {
                return;
            };
            let ran = auth.readings.ran();
            if let Err(error) = auth.tidy_at(Timestamp::now(), ran, false).await {
                tracing::warn!(%error, "could not remove expired sessions; trying again in a minute");
            }
        }
    });
}

impl Auth {
    /// Forgets what has ended or is too old, and writes down when sessions and tokens were last used. Runs every minute
    /// by itself; worth another call before the program ends.
    ///
    /// # Errors
    /// The store's.
    pub async fn purge_expired(self: &Arc<Self>) -> Result<(), AuthError> {
        self.tidy_at(Timestamp::now(), self.readings.ran(), true)
            .await
    }

    /// What was to end before this has ended for good, whatever the clock says at this moment.
    pub fn past(&self) -> Timestamp {
        self.readings.past()
    }

    /// The same when the clock says `now`, `ran` after the last time.
    async fn tidy_at(
        self: &Arc<Self>,
        now: Timestamp,
        ran: Duration,
        keep: bool,
    ) -> Result<(), AuthError> {
        self.run(move |auth, store| {
            auth.ceremonies.purge_expired();
            auth.limits.purge_expired();
            auth.entering.purge_expired();
            let settled = auth.readings.add(store, now, ran, keep)?;
            let seen = auth.sessions.used_since_last_time(now);
            store.purge_sessions(&seen, now, settled.past)?;
            let used = auth.tokens.used_since_last_time(now);
            store.purge_tokens(&used, now, settled.past)?;
            if let Some(ahead) = settled.ahead {
                store.pull_back(ahead)?;
                // They are fetched again with the end that they have now.
                auth.sessions.remove_where(|it| it.authenticated_at > ahead);
                auth.tokens.remove_where(|it| it.created_at > ahead);
            }
            auth.sessions.purge_expired(now);
            auth.tokens.purge_expired(now);
            auth.grants
                .retain(|session| auth.sessions.peek(session).is_some());
            if !auth.audit_lasts.is_zero() {
                store.purge_audit(settled.past.before(auth.audit_lasts))?;
            }
            Ok(())
        })
        .await
    }
}
