//! One request to a sandbox, up to the head of its response.

use super::begun_body::BegunBody;
use super::connection::Connection;
use super::connections::{Connections, Exchanged};
use super::expect::{self, Expectation};
use super::failure::Reason;
use super::send_error::{SendError, root};
use super::upgrade::Upgrade;
use super::upload::{self, Fault, LimitedBody, Progress, Upload};
use super::{Caller, Proxy, RoutedClaim, interim, prefix, request};
use crate::clock;
use http::{Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Instant;

/// A response that has begun, and what was asked along with its request.
pub(super) struct UpstreamResponse {
    pub(super) response: Response<BegunBody>,
    /// The connection that its body comes by.
    pub(super) connection: Connection,
    pub(super) upgrade: Option<Upgrade>,
    pub(super) expectation: Option<Expectation>,
    /// Where the sandbox is found, if it is below a prefix.
    pub(super) site: Option<Arc<prefix::Site>>,
}

impl Proxy {
    /// Sends the request, rewritten, and waits for the response's head.
    pub(super) async fn exchange(
        &self,
        connections: &Connections,
        mut request: Request<Incoming>,
        caller: &Caller<'_>,
        claim: &impl RoutedClaim,
    ) -> Result<UpstreamResponse, Reason> {
        if request.method() == Method::CONNECT {
            return Err(Reason::Connect);
        }
        let upgrade = Upgrade::asked(&mut request, caller.origin)?;
        let (mut head, body) = request.into_parts();
        let streams = !body.is_end_stream();
        let expects = expect::take(&mut head) && streams;
        request::rewrite(&mut head, streams, caller);
        let site = prefix::site(&head, caller, claim.address());
        if let Some(site) = &site {
            prefix::enter(&mut head, site)?;
        }
        request::address(&mut head, caller, claim);
        if let Some(upgrade) = &upgrade {
            upgrade.ask(&mut head.headers);
        }
        let progress = streams.then(Progress::default);
        let (upload, expectation) = self.upload(body, progress.clone(), expects)?;
        let mut request = Request::from_parts(head, upload);
        if expectation.is_some() {
            Expectation::ask(request.headers_mut());
        }
        let on_interim = |request: &mut Request<Upload>| {
            interim::pass_on(
                request,
                &caller.context.downstream,
                expectation.as_ref(),
                site.as_ref(),
            );
        };
        let sending = connections.send(claim.route_id(), claim.address(), request, on_interim);
        let begun = Instant::now();
        let (response, connection) = self.wait(connections, sending, progress.as_ref()).await?;
        let since_body = progress.map(|it| clock::monotonic().saturating_sub(it.last()));
        let took = begun.elapsed();
        caller
            .context
            .set_upstream(since_body.map_or(took, |it| it.min(took)));
        if let Some(expectation) = &expectation {
            expectation.responded();
        }
        let (head, body) = response.into_parts();
        let body = BegunBody::begin(body).await;
        let body = body.map_err(|error| Reason::BadGateway(root(&error).to_string()))?;
        Ok(UpstreamResponse {
            response: Response::from_parts(head, body),
            connection,
            upgrade,
            expectation,
            site,
        })
    }

    /// The body within our limits; and what it waits for, if its sender waits too.
    fn upload(
        &self,
        body: Incoming,
        progress: Option<Progress>,
        expects: bool,
    ) -> Result<(Upload, Option<Expectation>), Reason> {
        let limit = self.limits.max_body;
        let Some(progress) = progress else {
            return Ok((Upload::none(), None));
        };
        if body.size_hint().lower() > limit {
            // Whoever expects to be told sends nothing; and reading would tell them to.
            if !expects {
                upload::linger(body);
            }
            return Err(Reason::BodyTooLarge(limit));
        }
        let flow = LimitedBody::new(body, limit, self.limits.body_idle, progress);
        Ok(if expects {
            let (expectation, deferred) = Expectation::hold(flow);
            (Upload::deferred(deferred), Some(expectation))
        } else {
            (Upload::flowing(flow), None)
        })
    }

    /// Waits for the response's head: for so long after the request's last byte. Until then, other
    /// clocks run, in the body for its sender and in the connection for the sandbox.
    async fn wait(
        &self,
        connections: &Connections,
        sending: impl Future<Output = Result<Exchanged, SendError>>,
        progress: Option<&Progress>,
    ) -> Result<Exchanged, Reason> {
        let mut sending = pin!(sending);
        let mut sent = clock::monotonic();
        let mut timer = connections.timer();
        let ended = poll_fn(|cx| {
            if let Poll::Ready(ended) = sending.as_mut().poll(cx) {
                return Poll::Ready(Some(ended));
            }
            loop {
                ready!(timer.poll_expired(cx));
                match progress.map(Progress::last) {
                    Some(last) if last > sent => sent = last,
                    _ => return Poll::Ready(None),
                }
                timer.restart(sent);
            }
        });
        let ended = ended.await;
        connections.put_timer(timer);
        match ended {
            Some(Ok(begun)) => Ok(begun),
            Some(Err(error)) => Err(self.explain(progress.and_then(Progress::fault), &error)),
            None => {
                let secs = self.limits.response.as_secs();
                let cause = format!("nothing came within {secs} seconds");
                Err(Reason::Timeout(cause))
            }
        }
    }

    fn explain(&self, fault: Option<Fault>, error: &SendError) -> Reason {
        match fault {
            Some(Fault::TooLarge) => Reason::BodyTooLarge(self.limits.max_body),
            Some(Fault::Stalled) => Reason::BodyStalled(self.limits.body_idle.as_secs()),
            Some(Fault::Broken) => Reason::BodyBroken,
            Some(Fault::Unwanted) | None => {
                let root = match error {
                    SendError::Connect(error) => root(error),
                    SendError::Exchange(error) => root(error),
                };
                let timed_out = root
                    .downcast_ref::<io::Error>()
                    .is_some_and(|root| root.kind() == io::ErrorKind::TimedOut);
                if timed_out && matches!(error, SendError::Exchange(_)) {
                    Reason::Timeout(root.to_string())
                } else {
                    Reason::BadGateway(root.to_string())
                }
            }
        }
    }
}
