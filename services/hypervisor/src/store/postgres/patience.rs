//! How long somebody waits for the server.

use crate::store::StoreError;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A server that says nothing at all is given up so much later than it should have ended a statement.
const MORE: Duration = Duration::from_secs(1);

/// How long a statement may take, and how long the server may say nothing at all.
#[derive(Debug)]
pub(super) struct Patience {
    /// The server ends it then.
    statement: Duration,
    /// Nobody waits for longer than this after its last answer.
    silence: Duration,
    /// When whoever follows what others change asked it, or heard of it since; none while they do
    /// not ask.
    unheard: Mutex<Option<Instant>>,
}

impl Patience {
    pub(super) const fn new(statement: Duration, silence: Duration) -> Self {
        Self {
            statement,
            silence,
            unheard: Mutex::new(None),
        }
    }

    /// Waits for this as long as a statement may take.
    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let limit = self.statement + MORE;
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            Err(StoreError::Unreachable(format!(
                "no answer within {limit:?}"
            )))
        })
    }

    /// The same for what is not worth to wait for while the server answers nobody: it ends, or does
    /// not begin, then.
    pub(super) async fn unless_silent<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            () = self.silent() => Err(StoreError::Lapsed),
            done = self.within(work) => {
                if done.is_ok() {
                    self.heard();
                }
                done
            }
        }
    }

    /// Somebody asks, who does so again and again until they are answered.
    pub(super) fn ask(&self) {
        self.unheard().get_or_insert_with(Instant::now);
    }

    /// The server has answered somebody.
    pub(super) fn heard(&self) {
        if let Some(at) = &mut *self.unheard() {
            *at = Instant::now();
        }
    }

    /// Whoever asked has all that they wanted.
    pub(super) fn rest(&self) {
        *self.unheard() = None;
    }

    /// Resolves when the server has said nothing for too long.
    async fn silent(&self) {
        loop {
            let heard_at = *self.unheard();
            let silent = heard_at.map_or(Duration::ZERO, |at| at.elapsed());
            let Some(left) = self.silence.checked_sub(silent).filter(|it| !it.is_zero()) else {
                return;
            };
            tokio::time::sleep(left).await;
        }
    }

    fn unheard(&self) -> MutexGuard<'_, Option<Instant>> {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    const SILENCE: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn nobody_waits_for_a_server_that_says_nothing_to_who_asks_again_and_again() {
        let patience = Patience::new(Duration::from_hours(1), SILENCE);
        let slow = async {
            tokio::time::sleep(2 * SILENCE).await;
            Ok(())
        };
        patience.unless_silent(slow).await.unwrap();
        patience.ask();
        let waited = patience.unless_silent(pending::<Result<(), _>>()).await;
        assert!(matches!(waited, Err(StoreError::Lapsed)));
        patience.ask();
        let begun = patience.unless_silent(ready(Ok(()))).await;
        assert!(matches!(begun, Err(StoreError::Lapsed)));
        patience.within(ready(Ok(()))).await.unwrap();
        patience.heard();
        for _ in 0..12 {
            // Much to take in is no silence, as long as each of it is answered.
            let soon = async {
                tokio::time::sleep(SILENCE / 10).await;
                Ok(())
            };
            patience.unless_silent(soon).await.unwrap();
        }
        patience.rest();
        patience.unless_silent(ready(Ok(()))).await.unwrap();
    }
}
