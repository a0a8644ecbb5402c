//! What a connection asks for a response to each of its requests.

use crate::downstream::Downstream;
use crate::peer::Source;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use std::error::Error;

/// Which kind of listener a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// Plain HTTP: a proxy in front of us, or a laptop's browser.
    Http,
    /// TLS, which we end.
    Https,
    /// TLS, from the gateway of another machine.
    Gateway,
    /// Plain HTTP at the edge, which is there to send people to TLS.
    Redirect,
}

impl Entrance {
    /// The scheme of its requests, unless a trusted proxy knows better.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Http | Self::Redirect => "http",
            Self::Https | Self::Gateway => "https",
        }
    }
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The connection's far end.
    pub source: Source,
    /// The kind of listener.
    pub entrance: Entrance,
    /// The connection itself.
    pub downstream: Downstream,
}

/// Has a response to every request. One of these belongs to one worker, and never leaves it.
pub trait RequestHandler: 'static {
    /// The body of its responses.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>
        + Unpin
        + 'static;

    /// The response to one request.
    fn handle(
        &self,
        request: Request<Incoming>,
        inbound: Inbound,
    ) -> impl Future<Output = Response<Self::Body>>;

    /// What was no request had a response with this status.
    fn refused(&self, _status: StatusCode) {}
}
