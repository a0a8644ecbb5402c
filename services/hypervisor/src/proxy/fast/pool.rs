//! Connections to sandboxes that wait for their next request, of one thread.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;

/// How often those that waited too long are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// One thread's connections, by the [`super::super::Upstream`] that they belong to: those of an
/// old generation are never found again, and end with their time.
pub(crate) struct Pool {
    /// How many sweeps a connection may wait through.
    patience: u64,
    every: Duration,
    /// How many there were: a clock that costs nothing to read.
    sweeps: AtomicU64,
    // Only ever locked by its own thread, so nobody waits.
    parked: Mutex<HashMap<u64, Vec<Parked>>>,
}

struct Parked {
    stream: TcpStream,
    since: u64,
}

impl Parked {
    /// Whether nothing came, which would be wrong; not a call to the kernel unless it did.
    fn is_quiet(&self) -> bool {
        let read = self.stream.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

impl Pool {
    /// An empty one, whose connections wait for `after` at most.
    pub(crate) fn new(after: Duration) -> Self {
        let every = SWEEP.min(after).max(Duration::from_secs(1));
        Self {
            patience: after.as_secs() / every.as_secs(),
            every,
            sweeps: AtomicU64::new(0),
            parked: Mutex::default(),
        }
    }

    /// The connection that was used last, if it is still good.
    pub(super) fn take(&self, upstream: u64) -> Option<TcpStream> {
        let mut parked = self.lock();
        let waiting = parked.get_mut(&upstream)?;
        while let Some(last) = waiting.pop() {
            if last.is_quiet() {
                return Some(last.stream);
            }
        }
        None
    }

    /// Has a connection wait.
    pub(super) fn put(&self, upstream: u64, stream: TcpStream) {
        let since = self.sweeps.load(Ordering::Relaxed);
        let parked = Parked { stream, since };
        self.lock().entry(upstream).or_default().push(parked);
    }

    /// Closes, for ever, what waited too long or was closed by its sandbox.
    pub(crate) async fn sweep(&self) {
        loop {
            tokio::time::sleep(self.every).await;
            let now = self.sweeps.fetch_add(1, Ordering::Relaxed) + 1;
            self.lock().retain(|_, waiting| {
                waiting.retain(|it| now - it.since < self.patience && it.is_quiet());
                !waiting.is_empty()
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Vec<Parked>>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
