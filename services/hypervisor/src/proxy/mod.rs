//! Carries a claimed request to its sandbox, and the response back.
//!
//! Bodies are streamed both ways and never gathered. The claim moves into the response's body (or
//! the task that carries an upgraded connection), and so lasts until the last byte. This module
//! knows nothing of passkeys or of what runs a sandbox: it gets a caller and a [`RoutedClaim`].

mod begun_body;
mod buffer;
mod connection;
mod connections;
mod cookies;
mod direction;
mod download;
mod entity_tag;
mod exchange;
mod expect;
mod failure;
mod forwarded;
mod frames;
mod hop;
mod idle_timeout;
mod in_flight;
mod interim;
mod navigation;
mod own_origin;
mod page;
mod prefix;
mod request;
mod response;
mod reuse;
mod send_error;
mod shared_origin;
mod shared_stream;
mod trace;
mod trailers;
mod tunnel;
mod upgrade;
mod upload;
mod upstream_connection;
mod validators;
mod write_limit;

pub use connections::Connections;
pub use download::ResponseBody;
pub use failure::{Failure, Reason};
pub use navigation::{is_from_other_origin, is_navigation, is_top_level};
pub use request::rewrite_for_gateway;
pub use trace::note as note_trace;
pub use write_limit::WriteLimit;

use crate::Body;
use crate::config;
use crate::lifetime::Lifetimes;
use crate::peer::Peer;
use crate::request_context::RequestContext;
use crate::role::Role;
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper::body::Incoming;
use std::mem;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A claim, as the proxy sees it: where a request goes, and until when it may.
pub trait RoutedClaim: Send + Sync + 'static {
    /// Where the sandbox listens.
    fn address(&self) -> SocketAddr;
    /// Tells its route from all others, also from those of another generation.
    fn route_id(&self) -> u64;
    /// The workspace that it serves.
    fn workspace(&self) -> &str;
    /// The role that it has.
    fn role(&self) -> Role;
    /// The route's generation.
    fn generation(&self) -> u64;
    /// The sandbox's name.
    fn sandbox(&self) -> &str;
    /// What its responses are marked with, so that no other route takes them for its own: the same
    /// for as long as workspace, role and generation are.
    fn validator_mark(&self) -> &str;
    /// Cancelled at the end of the drain: a WebSocket is closed with 1012, an event stream ends,
    /// and other responses go on.
    fn drain_deadline(&self) -> &CancellationToken;
}

/// Who calls, from where, and by which origin.
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    /// Goes to the sandbox as `X-ChoirOS-User-Id` and `-User-Name`; none where nobody was asked.
    pub user: Option<(Uuid, &'a str)>,
    /// The origin of the sandbox's pages, which alone may open a WebSocket; none if all may.
    pub origin: Option<&'a HeaderValue>,
    /// The sandbox's own host; none if it shares the gateway's.
    pub own_host: Option<&'a str>,
    /// What was taken off the path.
    pub prefix: Option<&'static str>,
    /// The far end.
    pub peer: &'a Peer,
    /// What is known of the request, and noted of it here.
    pub context: &'a RequestContext,
    /// What lets it in, and ends it.
    pub lifetimes: Lifetimes,
}

/// The proxy's settings.
pub struct Proxy {
    /// The address of the account page, for pages of failures.
    account: Box<str>,
    limits: Limits,
}

/// What a request may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// For a connection to a sandbox.
    connect: Duration,
    /// Until the response begins, after the request's last byte.
    response: Duration,
    /// Without a byte of a body, either way.
    body_idle: Duration,
    /// Bytes of a request's body.
    max_body: u64,
    /// Bytes of a response's head.
    max_head: usize,
    /// For a connection to a sandbox without a request.
    pool_idle: Duration,
    /// Connections that wait for a request.
    pool_most: usize,
}

impl Proxy {
    /// A proxy whose pages of failures link to the account page at `account`.
    pub fn new(config: &config::Proxy, account: &str) -> Self {
        Self {
            account: account.into(),
            limits: Limits {
                connect: seconds(config.connect_secs),
                response: seconds(config.response_secs),
                body_idle: seconds(config.body_idle_secs),
                max_body: config.max_body_bytes,
                max_head: config.max_response_header_bytes,
                pool_idle: seconds(config.pool_idle_secs),
                pool_most: config.max_pooled_connections,
            },
        }
    }

    /// The connections of one of so many `workers`, none yet.
    pub fn connections(&self, workers: usize) -> Rc<Connections> {
        // A share for each worker, however many sandboxes there are.
        let most = self.limits.pool_most.div_ceil(workers);
        Connections::new(Limits {
            pool_most: most,
            ..self.limits
        })
    }

    /// The sandbox's response to `request`, or a [`Failure`]'s page or JSON in its stead.
    ///
    /// `request` is as it came in, but without the prefix `/dev`.
    pub async fn forward<C: RoutedClaim>(
        &self,
        connections: &Rc<Connections>,
        request: Request<Incoming>,
        mut caller: Caller<'_>,
        claim: C,
    ) -> Response<ResponseBody<C>> {
        let as_page = navigation::wants_page(request.headers());
        let navigates = as_page && is_navigation(request.method(), request.headers());
        let in_flight = connections.begin(mem::take(&mut caller.lifetimes));
        let exchange = self.exchange(connections, request, &caller, &claim);
        let exchanged = in_flight.unless_over(exchange).await;
        match exchanged.unwrap_or(Err(Reason::LoggedOut)) {
            Ok(response) => self.pass_on(connections, response, &caller, claim, in_flight),
            Err(reason) => {
                let sandbox = claim.sandbox().to_owned();
                let failure = Failure { sandbox, reason };
                failure.log(claim.role(), caller.context);
                // As without a session: programs are told so in their own words.
                let as_page = as_page && (navigates || failure.reason != Reason::LoggedOut);
                let response = failure.respond(as_page, &self.account, caller.context);
                response.map(ResponseBody::Left)
            }
        }
    }

    /// What to answer to a request with these `headers` that got nothing from its sandbox: a page
    /// for a navigation, JSON otherwise.
    pub fn failure_response(
        &self,
        headers: &HeaderMap,
        failure: &Failure,
        context: &RequestContext,
    ) -> Response<Body> {
        failure.respond(navigation::wants_page(headers), &self.account, context)
    }
}

/// Deadlines are sums of times, which must not overflow, whatever the config says.
const LONGEST: Duration = Duration::from_hours(365 * 24);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count).min(LONGEST)
}
