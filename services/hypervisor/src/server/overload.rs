//! What a connection above the limit is told, at once: it must not wait for a place.

use super::linger::linger;
use super::listener::Kind;
use super::stream::{self, Stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";

/// How long a refused client may take to close.
const LINGER: Duration = Duration::from_secs(1);

/// How many may take that time at once; those beyond are closed on.
const LINGERING: usize = 256;

/// Refuses connections.
pub(super) struct Overload(Arc<Semaphore>);

impl Overload {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(LINGERING)))
    }

    /// Says that there is no place. Nothing here waits.
    pub(super) fn refuse(&self, stream: Stream, kind: &Kind) {
        // A new connection's buffer has room; if ever not, that is no reason to wait either. For a
        // word over TLS there would have to be a handshake, which is what there is no room for.
        if !matches!(kind, Kind::Https(_) | Kind::Gateway(_)) {
            let _ = stream::try_write(&stream, FULL);
        }
        if let Ok(place) = self.0.clone().try_acquire_owned() {
            tokio::spawn(async move {
                linger(stream, LINGER).await;
                drop(place);
            });
        }
    }
}
