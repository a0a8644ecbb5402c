//! How many read logs, and that all of them end with the gateway.

use crate::error::HttpError;
use dashmap::DashMap;
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Logs that one user reads at a time; where systemd runs the sandboxes, each is a process.
const MOST_OF_USER: usize = 8;
/// Of all users; a host tells two more at a time, which are the operator's.
const MOST: usize = 30;

/// Everybody who reads logs now.
#[derive(Default)]
pub struct LogReaders {
    ending: CancellationToken,
    all: AtomicUsize,
    by_user: DashMap<Uuid, usize>,
}

impl LogReaders {
    /// They all end once `ending` is cancelled.
    pub fn new(ending: CancellationToken) -> Self {
        Self {
            ending,
            ..Self::default()
        }
    }

    /// One more, of this user or the operator's, whom nothing limits.
    pub(super) fn enter(self: &Arc<Self>, user: Option<Uuid>) -> Result<Reading, HttpError> {
        let reading = Reading {
            readers: Arc::clone(self),
            user,
        };
        let Some(user) = user else {
            return Ok(reading);
        };
        // Counted before it is looked at; what is too much leaves again.
        let all = self.all.fetch_add(1, Ordering::Relaxed) + 1;
        let of_user = {
            let mut count = self.by_user.entry(user).or_default();
            *count += 1;
            *count
        };
        if of_user > MOST_OF_USER {
            return Err(too_many(format!(
                "you read {MOST_OF_USER} logs already; close one of them first"
            )));
        }
        if all > MOST {
            return Err(too_many(format!(
                "{MOST} logs are being read already; try again in a moment"
            )));
        }
        Ok(reading)
    }
}

fn too_many(said: String) -> HttpError {
    HttpError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_logs", said).retry_after(5)
}

/// Somebody reads as long as this lives.
pub(super) struct Reading {
    readers: Arc<LogReaders>,
    user: Option<Uuid>,
}

impl Reading {
    /// Resolves when the gateway ends.
    pub(super) async fn ending(&self) {
        self.readers.ending.cancelled().await;
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let Some(user) = self.user else { return };
        self.readers.all.fetch_sub(1, Ordering::Relaxed);
        if let Some(mut count) = self.readers.by_user.get_mut(&user) {
            *count -= 1;
        }
        self.readers
            .by_user
            .remove_if(&user, |_, count| *count == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_reads_so_many_and_all_together_so_many() {
        let readers = Arc::<LogReaders>::default();
        let enter = |user: u128| readers.enter(Some(Uuid::from_u128(user)));
        let mut reading: Vec<_> = (0..MOST_OF_USER).map(|_| enter(1).unwrap()).collect();
        assert_eq!(enter(1).err().unwrap().code, "too_many_logs");
        reading.pop();
        reading.push(enter(1).unwrap());
        let others = (MOST_OF_USER..MOST).map(|at| enter(2 + at as u128).unwrap());
        reading.extend(others);
        assert_eq!(enter(1000).err().unwrap().code, "too_many_logs");
        let operator = readers.enter(None).unwrap();
        drop((reading, operator));
        assert_eq!(readers.all.load(Ordering::Relaxed), 0);
        assert!(readers.by_user.is_empty());
    }
}
