//! A client's HTTP/1 connection, as far as whoever carries one of its requests may know and use
//! it.

use http::{HeaderMap, StatusCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A handle on a client's HTTP/1 connection; the default one is of a stream of HTTP/2, of which
/// less is known.
#[derive(Debug, Clone, Default)]
pub struct Downstream(Option<Arc<State>>);

#[derive(Debug, Default)]
struct State {
    half_closed: AtomicBool,
    /// Interim responses that wait to be written.
    interim: Mutex<Vec<u8>>,
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

    /// The client has closed its sending side.
    pub fn half_close(&self) {
        if let Some(state) = &self.0 {
            state.half_closed.store(true, Ordering::Relaxed);
        }
    }

    /// Sends an interim response (RFC 9110, section 15.2) ahead of the response, unless that has
    /// begun, or the client would not understand it. Not for 100, which the server says itself
    /// when the body is first read, nor for 101.
    pub fn interim(&self, status: StatusCode, headers: &HeaderMap) {
        let Some(state) = &self.0 else {
            return; // hyper's HTTP/2 cannot.
        };
        let mut queue = state.interim.lock().unwrap_or_else(PoisonError::into_inner);
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
    }
}
