//! The body of a response, on its way from the sandbox to the client.

use super::RoutedClaim;
use super::begun_body::BegunBody;
use super::connection::Connection;
use super::connections::Connections;
use super::expect::Expectation;
use super::idle_timeout::IdleTimeout;
use super::in_flight::InFlight;
use super::send_error::root;
use super::trailers;
use crate::downstream::Downstream;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Either;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::WaitForCancellationFutureOwned;

/// Why a response was broken off. The client sees its connection cut, never a clean end.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing came for too long.
    #[error("the sandbox sent nothing more for too long")]
    Stalled,
    /// Its connection ended, or broke the framing.
    #[error("the sandbox broke off its response: {}", root(.0))]
    Broken(#[from] hyper::Error),
    /// What let the request in is over.
    #[error("the session has ended")]
    LoggedOut,
}

/// The sandbox's body; holds the claim until it is dropped.
pub struct Download<C> {
    body: BegunBody,
    /// Why it is broken off, once what came before is on its way.
    fault: Option<Fault>,
    idle: IdleTimeout,
    lent: Option<Lent>,
    /// Of an event stream.
    events: Option<Events>,
    claim: C,
    in_flight: InFlight,
    /// Kept so that the request's end waits for the response's.
    _expectation: Option<Expectation>,
}

/// Nothing in it is pinned in place.
impl<C> Unpin for Download<C> {}

impl<C: RoutedClaim> Download<C> {
    pub(super) fn new(
        body: BegunBody,
        idle: Duration,
        lent: Lent,
        claim: C,
        in_flight: InFlight,
        expectation: Option<Expectation>,
    ) -> Self {
        in_flight.set_upstream(Some(lent.connection.abort_handle()));
        let ended = body.is_end_stream();
        let mut this = Self {
            body,
            fault: None,
            idle: IdleTimeout::new(idle),
            lent: Some(lent),
            events: None,
            claim,
            in_flight,
            _expectation: expectation,
        };
        if ended {
            // Nobody asks for the frames of a body that has none.
            this.give_back();
        }
        this
    }

    /// Has the body end, cleanly, at the end of a drain: for event streams, whose clients
    /// come back by themselves. And lets it be silent for as long as its client listens.
    pub(super) fn of_events(mut self, downstream: Downstream) -> Self {
        let drain_deadline = self.claim.drain_deadline().clone().cancelled_owned();
        self.events = Some(Events {
            drain_deadline: Box::pin(drain_deadline),
            downstream,
        });
        self
    }

    fn give_back(&mut self) {
        if let Some(Lent {
            connections,
            route,
            connection,
        }) = self.lent.take()
        {
            self.in_flight.set_upstream(None);
            connections.put(route, connection);
        }
    }

    /// Breaks it off at the next poll: whoever writes it ends at an error, and would leave what
    /// came before unsent.
    fn fail(
        &mut self,
        fault: Fault,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let (sandbox, role) = (self.claim.sandbox(), self.claim.role());
        if matches!(fault, Fault::LoggedOut) {
            tracing::debug!(sandbox, %role, %fault, "response broken off");
        } else {
            tracing::warn!(sandbox, %role, %fault, "response broken off");
        }
        self.fault = Some(fault);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<C: RoutedClaim> Body for Download<C> {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        if let Some(fault) = self.fault.take() {
            return Poll::Ready(Some(Err(fault)));
        }
        if let Some(events) = &mut self.events
            && events.drain_deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        if self.in_flight.poll_over(cx).is_ready() {
            return match self.events {
                Some(_) => Poll::Ready(None),
                None => self.fail(Fault::LoggedOut, cx),
            };
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(mut frame))) => {
                self.idle.moved();
                if let Some(trailers) = frame.trailers_mut() {
                    trailers::strip_response(trailers);
                    self.give_back(); // Nobody asks for what is behind them.
                } else if self.body.is_end_stream() {
                    // It may not be asked for more.
                    self.give_back();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => self.fail(error.into(), cx),
            Poll::Ready(None) => {
                self.give_back();
                Poll::Ready(None)
            }
            Poll::Pending => {
                while self.idle.poll_expired(cx).is_ready() {
                    if !self.events.as_ref().is_some_and(Events::are_heard) {
                        return self.fail(Fault::Stalled, cx);
                    }
                    self.idle.moved();
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What is known of an event stream.
struct Events {
    /// Ends the stream at the end of a drain.
    drain_deadline: Pin<Box<WaitForCancellationFutureOwned>>,
    downstream: Downstream,
}

impl Events {
    /// Whether the client listens, as far as it says: one that closed its side may be gone, and
    /// then only what is sent to it would show that.
    fn are_heard(&self) -> bool {
        !self.downstream.is_half_closed()
    }
}

/// The connection that a body comes by, to be given back when it is over.
pub(super) struct Lent {
    connections: Rc<Connections>,
    route: u64,
    connection: Connection,
}

impl Lent {
    pub(super) fn new(connections: &Rc<Connections>, route: u64, connection: Connection) -> Self {
        Self {
            connections: connections.clone(),
            route,
            connection,
        }
    }
}

/// The body of a response: what this program says itself, or what a sandbox sends.
pub type ResponseBody<C> = Either<crate::Body, Download<C>>;
