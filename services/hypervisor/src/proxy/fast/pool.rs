//! Connections to sandboxes that wait for their next request, of one thread.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// How often those that waited too long are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// One thread's connections, by the [`super::super::Upstream`] that they belong to: those of an
/// old generation are never found again, and end with their time.
pub(crate) struct Pool {
    after: Duration,
    // Only ever locked by its own thread, so nobody waits.
    parked: Mutex<HashMap<u64, Vec<Parked>>>,
}

struct Parked {
    stream: TcpStream,
    since: Instant,
}

impl Parked {
    fn is_good(&self, after: Duration) -> bool {
        // Not a call to the kernel, unless something came, which would be wrong.
        let quiet = self.stream.try_read(&mut [0]);
        self.since.elapsed() < after
            && quiet.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

impl Pool {
    /// An empty one, whose connections wait for so long.
    pub(crate) fn new(after: Duration) -> Self {
        Self {
            after,
            parked: Mutex::default(),
        }
    }

    /// The connection that was used last, if it is still good.
    pub(super) fn take(&self, upstream: u64) -> Option<TcpStream> {
        let mut parked = self.lock();
        let waiting = parked.get_mut(&upstream)?;
        while let Some(last) = waiting.pop() {
            if last.is_good(self.after) {
                return Some(last.stream);
            }
        }
        None
    }

    /// Has a connection wait.
    pub(super) fn put(&self, upstream: u64, stream: TcpStream) {
        let since = Instant::now();
        let parked = Parked { stream, since };
        self.lock().entry(upstream).or_default().push(parked);
    }

    /// Closes, for ever, what waited too long or was closed by its sandbox.
    pub(crate) async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP.min(self.after)).await;
            self.lock().retain(|_, waiting| {
                waiting.retain(|parked| parked.is_good(self.after));
                !waiting.is_empty()
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Vec<Parked>>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
