//! A client's connection, as far as whoever carries one of its requests may know and use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A handle on a client's HTTP/1 connection; the default one is of a stream of HTTP/2, of which
/// less is known.
#[derive(Debug, Clone, Default)]
pub struct Downstream(Arc<State>);

#[derive(Debug, Default)]
struct State {
    half_closed: AtomicBool,
}

impl Downstream {
    /// Whether the client has closed its sending side. It may still read.
    pub fn is_half_closed(&self) -> bool {
        self.0.half_closed.load(Ordering::Relaxed)
    }

    /// The client has closed its sending side.
    pub fn half_close(&self) {
        self.0.half_closed.store(true, Ordering::Relaxed);
    }
}
