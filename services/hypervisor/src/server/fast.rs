//! One connection and the plain requests on it, answered where they come in.

use super::desk::{Desk, Errand};
use super::dispatch::unclaimed;
use super::general::Handover;
use super::head::{self, Found, Head};
use super::linger::{LINGER, linger};
use super::stream::{Detached, Source, Stream};
use crate::Body;
use crate::gate::Gate;
use crate::proxy::{
    self, Caller, Client, FarEnd, IdleTimeout, Next, Order, Pool, Proxy, RoutedClaim, Unanswered,
};
use crate::role::Role;
use crate::routes::ClaimError;
use bytes::Bytes;
use http::{Response, header};
use http_body_util::BodyExt;
use std::future::poll_fn;
use std::io::Write as _;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tracing::debug;

/// What a worker's connections have together.
pub struct Lane<D> {
    desk: Arc<D>,
    pub(super) pool: Pool,
    /// Its requests.
    pub(super) busy: Gate,
    /// Cloned for each connection that stays after its first request.
    keep_alive: Arc<()>,
}

/// What a connection does next.
enum Step {
    Next(Next),
    /// There is no whole head yet.
    More,
    /// For hyper.
    General,
    Cut,
}

/// What a plain request comes to, with its head rewritten.
enum Plan<C> {
    General,
    Recall(JoinHandle<bool>),
    Go(Order, C),
    Wait(Caller, JoinHandle<Result<C, ClaimError>>),
    Refuse(ClaimError),
}

impl<D: Desk> Lane<D> {
    /// One without a connection; `keep_alive` will have as many further owners as it has connections
    /// that stay after their first request.
    pub fn new(desk: Arc<D>, keep_alive: Arc<()>) -> Self {
        Self {
            pool: desk.proxy().pool(),
            desk,
            busy: Gate::new(),
            keep_alive,
        }
    }

    /// Serves a connection to its end, or to where it is no longer plain.
    pub async fn serve(&self, stream: Stream, source: Source, place: OwnedSemaphorePermit) {
        let config = self.desk.config();
        let seconds = Duration::from_secs;
        let write_idle = seconds(config.write_idle_secs);
        let mut client = Client::new(stream, write_idle, self.desk.proxy());
        let from = FarEnd {
            trusted: self.desk.trusts(&source),
            address: source.address().map(|address| address.to_string().into()),
        };
        let mut head_time = IdleTimeout::new(seconds(config.header_read_secs));
        let mut idle = IdleTimeout::new(seconds(config.idle_secs));
        let mut keep_alive = None;
        loop {
            match self.request(&mut client, &from).await {
                Step::More => {
                    // Also a new connection owes a head, and not just something.
                    let begun = keep_alive.is_none() || !client.inbox.bytes().is_empty();
                    let wait = if begun { &mut head_time } else { &mut idle };
                    if !more(&mut client, wait, config.max_header_bytes).await {
                        return;
                    }
                }
                Step::Next(Next::Request) => {
                    keep_alive.get_or_insert_with(|| self.keep_alive.clone());
                    head_time.moved();
                    idle.moved();
                }
                Step::Next(Next::Linger) => return linger(client.stream, LINGER).await,
                Step::Next(Next::Close) | Step::Cut => return,
                Step::General => return self.hand_over(client, source, place),
            }
        }
    }

    /// Has hyper go on with a connection.
    fn hand_over(&self, client: Client, source: Source, place: OwnedSemaphorePermit) {
        let read = Bytes::copy_from_slice(client.inbox.bytes());
        match Detached::new(client.stream) {
            Ok(stream) => self.desk.take(Handover {
                stream,
                read,
                source,
                place,
            }),
            Err(error) => debug!(%error, %source, "connection lost"),
        }
    }

    /// Answers the request that lies in the inbox.
    async fn request(&self, client: &mut Client, from: &FarEnd) -> Step {
        if client.inbox.bytes().is_empty() {
            return Step::More;
        }
        let found = head::read(client.inbox.bytes(), |head, length| {
            (self.plan(head, from), length)
        });
        let limit = self.desk.config().max_header_bytes;
        match found {
            Found::Partial if client.inbox.is_full() || client.inbox.bytes().len() > limit => {
                Step::General
            }
            Found::Partial => Step::More,
            Found::Foreign | Found::Head((Plan::General, _)) => Step::General,
            Found::Head((_, length)) if length > limit => Step::General,
            Found::Head((plan, length)) if self.busy.enter() => {
                // In a box, since it is large, and most connections have no request most of the time.
                let step = Box::pin(self.answer(client, from, plan, length)).await;
                self.busy.leave();
                step
            }
            Found::Head(_) => Step::Cut, // The grace is over.
        }
    }

    /// Has the desk say what a request comes to.
    fn plan(&self, head: &Head<'_>, from: &FarEnd) -> Plan<D::Claim> {
        let proxy = self.desk.proxy();
        if head.length > proxy.max_body() {
            return Plan::General;
        }
        match self.desk.errand(head) {
            Errand::General => Plan::General,
            Errand::Recall(recalling) => Plan::Recall(recalling),
            Errand::Go(caller, claim) => Plan::Go(order(proxy, head, from, &caller, &claim), claim),
            Errand::Wait(caller, claiming) => Plan::Wait(caller, claiming),
            Errand::Refuse(error) => Plan::Refuse(error),
        }
    }

    async fn answer(
        &self,
        client: &mut Client,
        from: &FarEnd,
        plan: Plan<D::Claim>,
        length: usize,
    ) -> Step {
        let proxy = self.desk.proxy();
        let (order, claim) = match plan {
            Plan::General => return Step::General,
            Plan::Recall(recalling) => {
                return match recalling.await {
                    Ok(true) => Step::Next(Next::Request), // The same one, once more.
                    _ => Step::General,
                };
            }
            Plan::Refuse(error) => return self.refuse(client, length, error).await,
            Plan::Go(order, claim) => (order, claim),
            Plan::Wait(caller, claiming) => match wait(client, claiming).await {
                Some(Ok(claim)) => {
                    let order = head::read(client.inbox.bytes(), |head, _| {
                        order(proxy, head, from, &caller, &claim)
                    });
                    let Found::Head(order) = order else {
                        return Step::Cut;
                    };
                    (order, claim)
                }
                Some(Err(error)) => return self.refuse(client, length, error).await,
                None => return Step::Cut,
            },
        };
        let close = order.close() || self.desk.stopping();
        client.inbox.consume(length);
        let outcome = proxy.carry(client, &order, &claim, &self.pool, close).await;
        match outcome {
            Ok((status, next)) => {
                self.desk.count_response(status);
                Step::Next(next)
            }
            Err(Unanswered::Cut) => Step::Cut,
            Err(Unanswered::Failed(reason)) => {
                // All that tells a page from a call went to the sandbox, too.
                let response = proxy::refuse(&order.fields(), &claim, reason);
                drop(claim);
                let close = close || order.has_body();
                self.tell(client, response, order.is_headless(), close)
                    .await
            }
        }
    }

    /// Says why there is no sandbox to ask.
    async fn refuse(&self, client: &mut Client, length: usize, error: ClaimError) -> Step {
        let told = head::read(client.inbox.bytes(), |head, _| {
            let response = unclaimed(&head.to_request()?, error);
            let close = head.close || head.length > 0 || self.desk.stopping();
            Some((response, head.method == "HEAD", close))
        });
        let Found::Head(Some((response, headless, close))) = told else {
            return Step::Cut;
        };
        client.inbox.consume(length);
        self.tell(client, response, headless, close).await
    }

    /// Gives an answer of ours.
    async fn tell(
        &self,
        client: &mut Client,
        response: Response<Body>,
        headless: bool,
        close: bool,
    ) -> Step {
        self.desk.count_response(response.status());
        let close = close || response.headers().contains_key(header::CONNECTION);
        respond(client, response, headless, close).await
    }
}

/// The request as its sandbox gets it.
fn order(
    proxy: &Proxy,
    head: &Head<'_>,
    from: &FarEnd,
    caller: &Caller,
    claim: &impl RoutedClaim,
) -> Order {
    let target = match claim.role() {
        Role::Live => head.target,
        Role::Dev => head.target.strip_prefix("/dev").unwrap_or(head.target),
    };
    proxy.order(head, target, from, caller, claim)
}

/// Waits for a claim; `None` if the client is gone meanwhile.
async fn wait<C>(
    client: &mut Client,
    claiming: JoinHandle<Result<C, ClaimError>>,
) -> Option<Result<C, ClaimError>> {
    tokio::select! {
        claim = claiming => claim.ok(), // An error is a panic, which has said so.
        () = client.gone() => None,
    }
}

/// Waits for so much that it is worth reading what there is; `false` if that is the end, or takes
/// too long. A head that goes on is not read anew for each of its bytes.
async fn more(client: &mut Client, wait: &mut IdleTimeout, limit: usize) -> bool {
    loop {
        let known = client.inbox.bytes().len();
        if !next_bytes(client, wait).await {
            return false;
        }
        let bytes = client.inbox.bytes();
        let enough = known == 0 || bytes.len() > limit || client.inbox.is_full();
        if enough || head::may_end(&bytes[known.saturating_sub(2)..]) {
            return true;
        }
    }
}

/// Waits for something to be read; `false` if that is the end, or takes too long.
async fn next_bytes(client: &mut Client, wait: &mut IdleTimeout) -> bool {
    let Client { stream, inbox, .. } = client;
    poll_fn(|cx| {
        if let Poll::Ready(read) = inbox.poll_fill(stream, cx, usize::MAX) {
            return Poll::Ready(matches!(read, Ok(1..)));
        }
        ready!(wait.poll_expired(cx));
        Poll::Ready(false)
    })
    .await
}

/// Writes an answer of ours, whose body is at hand; without it if the answer is `headless`.
async fn respond(
    client: &mut Client,
    response: Response<Body>,
    headless: bool,
    close: bool,
) -> Step {
    let (head, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Step::Cut;
    };
    let body = body.to_bytes();
    let mut bytes = Vec::with_capacity(512 + body.len());
    let reason = head.status.canonical_reason().unwrap_or_default();
    let _ = write!(bytes, "HTTP/1.1 {} {reason}\r\n", head.status.as_u16());
    let fields = head
        .headers
        .iter()
        .filter(|(name, _)| *name != header::CONNECTION);
    for (name, value) in fields {
        let _ = write!(bytes, "{name}: ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let now = httpdate::fmt_http_date(std::time::SystemTime::now());
    let _ = write!(bytes, "date: {now}\r\ncontent-length: {}\r\n", body.len());
    bytes.extend_from_slice(if close {
        b"connection: close\r\n\r\n"
    } else {
        b"\r\n"
    });
    if !headless {
        bytes.extend_from_slice(&body);
    }
    match client.write(&bytes).await {
        Ok(()) if close => Step::Next(Next::Linger),
        Ok(()) => Step::Next(Next::Request),
        Err(_) => Step::Cut,
    }
}
