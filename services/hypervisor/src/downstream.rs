//! A client's HTTP/1 connection, as far as whoever carries one of its requests may know and use
//! it.

use futures_util::task::AtomicWaker;
use http::{HeaderMap, StatusCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

/// Bytes of interim responses that may wait for a client that does not read. More are dropped: a
/// sandbox may send them without end.
const MOST_WAITING: usize = 64 * 1024;

/// A handle on a client's HTTP/1 connection; the default one is of a stream of HTTP/2, of which
/// less is known.
#[derive(Debug, Clone, Default)]
pub struct Downstream(Option<Arc<State>>);

#[derive(Debug, Default)]
struct State {
    half_closed: AtomicBool,
    /// Whether an interim response may be sent now.
    takes_interim: AtomicBool,
    /// Whether some wait to be written.
    has_interim: AtomicBool,
    interim: Mutex<Vec<u8>>,
    /// The connection's task.
    task: AtomicWaker,
}

impl State {
    fn interim(&self) -> MutexGuard<'_, Vec<u8>> {
        self.interim.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Downstream {
    /// Of a new connection.
    pub fn http1() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether the client has closed its sending side. It may still read.
    pub fn is_half_closed(&self) -> bool {
        let state = self.0.as_ref();
        state.is_some_and(|state| state.half_closed.load(Ordering::Relaxed))
    }

    /// Whether it can be sent interim responses at all; hyper's HTTP/2 cannot.
    pub fn knows_interim(&self) -> bool {
        self.0.is_some()
    }

    /// Sends an interim response (RFC 9110, section 15.2) ahead of the response, unless that has
    /// begun, or the client would not understand it. Not for 100, which the server says itself
    /// when the body is first read, nor for 101.
    pub fn interim(&self, status: StatusCode, headers: &HeaderMap) {
        let Some(state) = &self.0 else {
            return; // hyper's HTTP/2 cannot.
        };
        if !state.takes_interim.load(Ordering::Relaxed) {
            return;
        }
        let mut queue = state.interim();
        if queue.len() > MOST_WAITING {
            return;
        }
        queue.extend_from_slice(b"HTTP/1.1 ");
        queue.extend_from_slice(status.as_str().as_bytes());
        queue.push(b' ');
        queue.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
        queue.extend_from_slice(b"\r\n");
        for (name, value) in headers {
            queue.extend_from_slice(name.as_str().as_bytes());
            queue.extend_from_slice(b": ");
            queue.extend_from_slice(value.as_bytes());
            queue.extend_from_slice(b"\r\n");
        }
        queue.extend_from_slice(b"\r\n");
        state.has_interim.store(true, Ordering::Relaxed);
        state.task.wake();
    }

    /// The client has closed its sending side.
    pub(crate) fn half_close(&self) {
        if let Some(state) = &self.0 {
            state.half_closed.store(true, Ordering::Relaxed);
        }
    }

    /// A request has come, for which the connection's task may be woken to send something.
    pub(crate) fn begin(&self, takes_interim: bool, cx: &Context<'_>) {
        if let Some(state) = &self.0 {
            state.takes_interim.store(takes_interim, Ordering::Relaxed);
            state.task.register(cx.waker());
        }
    }

    /// Its response begins.
    pub(crate) fn respond(&self) {
        if let Some(state) = &self.0 {
            state.takes_interim.store(false, Ordering::Relaxed);
        }
    }

    /// Moves what waits to be written to `out`.
    pub(crate) fn take_interim(&self, out: &mut Vec<u8>) {
        if let Some(state) = &self.0
            && state.has_interim.swap(false, Ordering::Relaxed)
        {
            out.append(&mut state.interim());
        }
    }
}
