//! The body of a request, on its way from the client to the sandbox.

use super::idle_timeout::IdleTimeout;
use super::trailers;
use crate::clock;
use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::timeout;

/// For how long a refused body is still read, so that the client gets to read the refusal
/// before its writes fail.
const LINGER: Duration = Duration::from_secs(1);

/// Why a request's body ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It has more bytes than allowed.
    #[error("the request's body is too large")]
    TooLarge,
    /// The client sent nothing for too long.
    #[error("the request's body stopped coming")]
    Stalled,
    /// The client went away, or broke the framing.
    #[error("the request's body is broken")]
    Broken,
    /// The sandbox answered without asking for it.
    #[error("the request's body was not wanted")]
    Unwanted,
}

/// The body that is sent to the sandbox.
pub(super) struct Upload(State);

/// A body that waits; gives it out when it may flow, `None` when it was not wanted.
pub(super) type DeferredBody = Pin<Box<dyn Future<Output = Option<LimitedBody>>>>;

enum State {
    /// There is none.
    None,
    /// It waits for the sandbox to say `100 Continue`.
    DeferredBody(DeferredBody),
    Flowing(LimitedBody),
}

impl Upload {
    pub(super) fn none() -> Self {
        Self(State::None)
    }

    /// Whether there is none.
    pub(super) fn is_none(&self) -> bool {
        matches!(self.0, State::None)
    }

    pub(super) fn flowing(flow: LimitedBody) -> Self {
        Self(State::Flowing(flow))
    }

    pub(super) fn deferred(deferred: DeferredBody) -> Self {
        Self(State::DeferredBody(deferred))
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        loop {
            match &mut self.0 {
                State::None => return Poll::Ready(None),
                State::Flowing(flow) => return flow.poll(cx),
                State::DeferredBody(deferred) => match ready!(deferred.as_mut().poll(cx)) {
                    Some(flow) => self.0 = State::Flowing(flow),
                    None => return Poll::Ready(Some(Err(Fault::Unwanted))),
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::None => true,
            State::DeferredBody(_) => false,
            State::Flowing(flow) => flow.body.as_ref().is_none_or(HttpBody::is_end_stream),
        }
    }

    /// Only «none» is known here; all else is framed by the request's own headers.
    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            State::None => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

/// A body within its limits of size and silence.
pub(super) struct LimitedBody {
    body: Option<Incoming>,
    room: u64,
    idle: IdleTimeout,
    progress: Progress,
}

impl LimitedBody {
    pub(super) fn new(body: Incoming, room: u64, idle: Duration, progress: Progress) -> Self {
        Self {
            body: Some(body),
            room,
            idle: IdleTimeout::new(idle),
            progress,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
            ready!(self.idle.poll_expired(cx));
            return self.fail(Fault::Stalled);
        };
        let mut frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return self.fail(Fault::Broken),
            None => return Poll::Ready(None),
        };
        self.idle.moved();
        if let Some(trailers) = frame.trailers_mut() {
            trailers::strip_request(trailers);
        }
        let size = frame.data_ref().map_or(0, Buf::remaining) as u64;
        match self.room.checked_sub(size) {
            Some(room) => self.room = room,
            None => return self.fail(Fault::TooLarge),
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn fail(&mut self, fault: Fault) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        self.progress.0.fault.set(Some(fault));
        match self.body.take() {
            Some(body) if fault == Fault::TooLarge => linger(body),
            _ => {}
        }
        Poll::Ready(Some(Err(fault)))
    }
}

impl Drop for LimitedBody {
    fn drop(&mut self) {
        self.progress.0.at.set(Some(clock::monotonic()));
    }
}

/// Reads on for a moment what will not be used.
pub(super) fn linger(mut body: Incoming) {
    tokio::task::spawn_local(timeout(LINGER, async move {
        while let Some(Ok(_)) = body.frame().await {}
    }));
}

/// How a body ended; shared with the one who waits for the response.
#[derive(Clone, Default)]
pub(super) struct Progress(Rc<End>);

#[derive(Default)]
struct End {
    at: Cell<Option<Duration>>,
    fault: Cell<Option<Fault>>,
}

impl Progress {
    /// When the last byte went to the sandbox; now, if it has not yet.
    pub(super) fn last(&self) -> Duration {
        self.0.at.get().unwrap_or_else(clock::monotonic)
    }

    /// Why the body ended early, if it did.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.0.fault.get()
    }
}
