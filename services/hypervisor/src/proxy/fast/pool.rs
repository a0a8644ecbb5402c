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
    /// How many may wait: each is an open file.
    most: usize,
    // Only ever locked by its own thread, so nobody waits.
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    of: HashMap<u64, Vec<Parked>>,
    count: usize,
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
    /// An empty one for `most` connections, which wait for `after` at most.
    pub(crate) fn new(after: Duration, most: usize) -> Self {
        let every = SWEEP.min(after).max(Duration::from_secs(1));
        Self {
            patience: after.as_secs() / every.as_secs(),
            every,
            sweeps: AtomicU64::new(0),
            most,
            waiting: Mutex::default(),
        }
    }

    /// The connection that was used last, if it is still good.
    pub(super) fn take(&self, upstream: u64) -> Option<TcpStream> {
        let mut waiting = self.lock();
        let Waiting { of, count } = &mut *waiting;
        let parked = of.get_mut(&upstream)?;
        while let Some(last) = parked.pop() {
            *count -= 1;
            if last.is_quiet() {
                return Some(last.stream);
            }
        }
        None
    }

    /// Has a connection wait, or closes it if too many do.
    pub(super) fn put(&self, upstream: u64, stream: TcpStream) {
        let since = self.sweeps.load(Ordering::Relaxed);
        let mut waiting = self.lock();
        if waiting.count < self.most {
            waiting.count += 1;
            let parked = waiting.of.entry(upstream).or_default();
            parked.push(Parked { stream, since });
        }
    }

    /// Closes, for ever, what waited too long or was closed by its sandbox.
    pub(crate) async fn sweep(&self) {
        loop {
            tokio::time::sleep(self.every).await;
            let now = self.sweeps.fetch_add(1, Ordering::Relaxed) + 1;
            let mut waiting = self.lock();
            waiting.of.retain(|_, parked| {
                parked.retain(|it| now - it.since < self.patience && it.is_quiet());
                !parked.is_empty()
            });
            waiting.count = waiting.of.values().map(Vec::len).sum();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;
    use std::time::Duration;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn no_more_wait_than_may_and_each_is_found_by_its_upstream_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pool = Pool::new(Duration::from_mins(1), 2);
        for upstream in [1, 2, 3] {
            pool.put(upstream, TcpStream::connect(address).await.unwrap());
        }
        assert!(pool.take(3).is_none(), "a third one is closed");
        assert!(pool.take(1).is_some());
        assert!(pool.take(1).is_none());
        pool.put(3, TcpStream::connect(address).await.unwrap());
        assert!(pool.take(3).is_some(), "what was taken made room");
        assert!(pool.take(2).is_some());
    }
}
