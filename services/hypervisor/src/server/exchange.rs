//! How far the present request of an HTTP/1 connection and its response are.
//!
//! hyper tells nobody, so what lies around it does: the filter below it, which sees what is read
//! and written, and the service above it, which sees requests and responses. Both belong to one
//! task; the atomics are there because an upgraded stream may leave its thread.

use crate::downstream::Downstream;
use crate::http1::Refusal;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;

/// What the filter and the service of a connection know of each other.
#[derive(Debug, Clone)]
pub(super) struct Exchange(Arc<State>);

#[derive(Debug)]
struct State {
    downstream: Downstream,
    /// hyper was given a request, whose response is not wholly sent yet.
    in_flight: AtomicBool,
    /// hyper has read all of it.
    read: AtomicBool,
    /// Its body breaks the rules, so nothing can come behind it.
    broken: AtomicBool,
    /// Its response's last byte was taken by hyper.
    responded: AtomicBool,
    /// The connection is a tunnel, or is about to be.
    switched: AtomicBool,
    requests: AtomicU32,
    refusal: Mutex<Option<(Refusal, bool)>>,
}

impl Exchange {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            downstream: Downstream::http1(),
            in_flight: AtomicBool::new(false),
            read: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            responded: AtomicBool::new(false),
            switched: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            refusal: Mutex::new(None),
        }))
    }

    pub(super) fn downstream(&self) -> &Downstream {
        &self.0.downstream
    }

    /// hyper is given a request.
    pub(super) fn begin(&self, is_http10: bool, cx: &Context<'_>) {
        let state = &*self.0;
        state.in_flight.store(true, Relaxed);
        state.read.store(false, Relaxed);
        state.responded.store(false, Relaxed);
        state
            .requests
            .store(state.requests.load(Relaxed).wrapping_add(1), Relaxed);
        state.downstream.begin(!is_http10, cx);
    }

    /// hyper is given something in the place of what is no request; `for_page` if a person is to
    /// read why.
    pub(super) fn refuse(&self, refusal: Refusal, for_page: bool) {
        *self.refusal() = Some((refusal, for_page));
    }

    /// Why the present request is none, if so, and whether a person is to read it.
    pub(super) fn take_refusal(&self) -> Option<(Refusal, bool)> {
        self.refusal().take()
    }

    fn refusal(&self) -> std::sync::MutexGuard<'_, Option<(Refusal, bool)>> {
        self.0
            .refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// hyper asks for more than the present request, so it has read all of that.
    pub(super) fn set_read(&self) {
        self.0.read.store(true, Relaxed);
    }

    /// Whether hyper has read the whole request.
    pub(super) fn is_read(&self) -> bool {
        self.0.read.load(Relaxed)
    }

    /// The request's body breaks the rules.
    pub(super) fn set_broken(&self) {
        self.0.broken.store(true, Relaxed);
    }

    /// Whether it does.
    pub(super) fn is_broken(&self) -> bool {
        self.0.broken.load(Relaxed)
    }

    /// hyper has the whole response, and may still have to write it.
    pub(super) fn set_responded(&self) {
        self.0.responded.store(true, Relaxed);
    }

    /// All that hyper had was sent; says whether that ended a response.
    pub(super) fn flushed(&self) -> bool {
        let over = self.0.responded.load(Relaxed) && self.is_in_flight();
        if over {
            self.0.in_flight.store(false, Relaxed);
        }
        over
    }

    /// Whether a request's response is not wholly sent yet.
    pub(super) fn is_in_flight(&self) -> bool {
        self.0.in_flight.load(Relaxed)
    }

    /// Whether hyper holds nothing, and waits for the next request.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_in_flight() && self.is_read()
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> u32 {
        self.0.requests.load(Relaxed)
    }

    /// From the present response on, the bytes are another protocol's.
    pub(super) fn switch(&self) {
        self.0.switched.store(true, Relaxed);
    }

    /// Whether they are.
    pub(super) fn is_switched(&self) -> bool {
        self.0.switched.load(Relaxed)
    }
}
