//! Says which part of the program a request is for, and who may send it there.

use super::handler::{Entrance, Inbound, RequestHandler};
use super::host;
use super::redirect::Redirect;
use crate::Body;
use crate::auth::{self, Auth, AuthError, Session};
use crate::config::Config;
use crate::downstream::Downstream;
use crate::error::HttpError;
use crate::http1::Refusal;
use crate::lifetime::Lifetimes;
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::proxy::{self, Failure, Proxy, Reason, ResponseBody};
use crate::role::Role;
use crate::routes::{Claim, ClaimError, Routes};
use axum::Router;
use axum::response::IntoResponse;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version, header};
use hyper::body::Incoming;
use ipnet::IpNet;
use std::rc::Rc;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::context::TokioContext;
use tower::ServiceExt;

/// After how many seconds a sandbox that is not to be had is worth another request.
const RETRY_SECS: u64 = 5;

/// Everything that a request can meet.
pub struct Gateway {
    auth: Arc<Auth>,
    routes: Arc<Routes>,
    proxy: Proxy,
    /// What this program answers itself: shell, auth, admin, health, metrics.
    own: Router,
    metrics: Arc<Metrics>,
    /// Our origin, as browsers write it.
    origin: String,
    trusted: Vec<IpNet>,
    redirect: Redirect,
    /// For how long browsers are to come by https alone; 0 for as they like.
    hsts_secs: u64,
}

/// Whom a path belongs to.
#[derive(Debug, PartialEq, Eq)]
enum Destination {
    /// This program, for everybody.
    Public,
    /// This program, for people who are logged in.
    Private,
    /// The caller's sandbox of this role.
    Sandbox(Role),
}

impl Destination {
    fn of(path: &str) -> Self {
        let first = path.get(1..).unwrap_or_default();
        let (first, rest) = first.split_once('/').unwrap_or((first, ""));
        match (first, rest) {
            ("auth", "account") | ("admin", _) => Self::Private,
            ("health" | "login" | "register" | "recovery" | "metrics", "") | ("auth", _) => {
                Self::Public
            }
            ("dev", _) => Self::Sandbox(Role::Dev),
            _ => Self::Sandbox(Role::Live),
        }
    }
}

impl Gateway {
    /// The gateway over its parts; `own` answers every path that is not a sandbox's.
    pub fn new(
        auth: Arc<Auth>,
        routes: Arc<Routes>,
        proxy: Proxy,
        own: Router,
        metrics: Arc<Metrics>,
        config: &Config,
    ) -> Self {
        Self {
            auth,
            routes,
            proxy,
            own,
            metrics,
            origin: config.origin().origin().ascii_serialization(),
            trusted: config.server.trusted_proxies.clone(),
            redirect: Redirect::new(config),
            hsts_secs: config.tls.hsts_secs,
        }
    }

    pub(super) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Tells of each session, and each access, that is ended.
    pub(super) fn ends(&self) -> watch::Receiver<()> {
        self.auth.end_notifier().subscribe()
    }

    pub(super) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// What `Strict-Transport-Security` says over TLS, if anything; a value of the caller's own.
    pub(super) fn hsts(&self) -> Option<HeaderValue> {
        let promise = || HeaderValue::try_from(format!("max-age={}", self.hsts_secs));
        (self.hsts_secs > 0).then(promise)?.ok()
    }
}

/// One worker's way to all parts of the program.
pub(super) struct Dispatch {
    pub(super) gateway: Arc<Gateway>,
    /// Where whatever outlives a request runs.
    pub(super) runtime: Handle,
    pub(super) upstreams: Rc<proxy::Connections>,
    pub(super) hsts: Option<HeaderValue>,
}

impl RequestHandler for Dispatch {
    type Body = ResponseBody<Claim>;

    async fn handle(&self, request: Request<Incoming>, inbound: Inbound) -> Response<Self::Body> {
        let is_https = inbound.entrance == Entrance::Https;
        let mut response = self.respond(request, inbound).await;
        if let Some(hsts) = self.hsts.as_ref().filter(|_| is_https) {
            let headers = response.headers_mut();
            headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        self.gateway.metrics.count_response(response.status());
        response
    }

    fn refused(&self, status: StatusCode) {
        self.gateway.metrics.count_response(status);
    }
}

impl Dispatch {
    async fn respond(
        &self,
        request: Request<Incoming>,
        inbound: Inbound,
    ) -> Response<ResponseBody<Claim>> {
        let gateway = &*self.gateway;
        let own = |response: Response<Body>| response.map(ResponseBody::Left);
        if let Err(refusal) = host::check(&request) {
            let version = request.version();
            return own(refused(refusal, version));
        }
        if let Some(response) = gateway.redirect.response(&request, inbound.entrance) {
            return own(response);
        }
        let (method, headers) = (request.method(), request.headers());
        let downstream = inbound.downstream;
        let scheme = inbound.entrance.scheme();
        let peer = Peer::new(inbound.source, scheme, headers, &gateway.trusted);
        if let Err(error) = auth::check_origin(method, headers, &gateway.origin) {
            return own(error.into_response());
        }
        let session = match gateway.auth.session(headers) {
            Some(session) => Ok(Some(session)),
            None => self.outliving(gateway.auth.fetch_session(headers)).await,
        };
        match (Destination::of(request.uri().path()), session) {
            (Destination::Public, Err(error)) if is_about_sessions(request.uri().path()) => {
                own(error.into_response())
            }
            (Destination::Public, session) => {
                own(self.own(request, peer, session.ok().flatten()).await)
            }
            (_, Err(error)) => own(error.into_response()),
            (_, Ok(None)) => own(to_login(&request)),
            (Destination::Private, Ok(session)) => own(self.own(request, peer, session).await),
            (Destination::Sandbox(role), Ok(Some(session))) => {
                self.sandbox(request, &peer, &downstream, &session, role)
                    .await
            }
        }
    }

    /// Polls `future` here, but what it starts belongs to the runtime that outlives the worker.
    fn outliving<F: Future>(&self, future: F) -> TokioContext<F> {
        TokioContext::new(future, self.runtime.clone())
    }

    async fn own(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        session: Option<Arc<Session>>,
    ) -> Response<Body> {
        let mut request = request.map(Body::new);
        let extensions = request.extensions_mut();
        extensions.insert(peer);
        if let Some(session) = session {
            extensions.insert(session);
        }
        let response = self
            .outliving(self.gateway.own.clone().oneshot(request))
            .await;
        response.unwrap_or_else(|never| match never {})
    }

    async fn sandbox(
        &self,
        mut request: Request<Incoming>,
        peer: &Peer,
        downstream: &Downstream,
        session: &Session,
        role: Role,
    ) -> Response<ResponseBody<Claim>> {
        if !session.is_full() {
            return to_recovery(&request).map(ResponseBody::Left);
        }
        let lifetimes = Lifetimes {
            session: Some(session.lifetime.clone()),
            access: None,
        };
        let claim = match self.claim(session, role, &lifetimes).await {
            Some(Ok(claim)) => claim,
            None => return to_login(&request).map(ResponseBody::Left),
            Some(Err(error)) => return unclaimed(&request, error).map(ResponseBody::Left),
        };
        if role == Role::Dev {
            *request.uri_mut() = without_dev(request.uri());
        }
        let caller = proxy::Caller {
            user_id: session.user.id,
            peer,
            downstream,
            lifetimes,
        };
        let proxy = &self.gateway.proxy;
        proxy.forward(&self.upstreams, request, caller, claim).await
    }

    /// `None` if the caller's time is over before the sandbox is there.
    async fn claim(
        &self,
        session: &Session,
        role: Role,
        lifetimes: &Lifetimes,
    ) -> Option<Result<Claim, ClaimError>> {
        let routes = &self.gateway.routes;
        if let Some(tried) = routes.try_claim(session.user.id, role).transpose() {
            return Some(tried);
        }
        let claim = self.outliving(routes.claim(&session.user, role));
        self.upstreams.unless_over(lifetimes, claim).await
    }
}

/// Whether it makes a difference there that a session cannot be looked up.
fn is_about_sessions(path: &str) -> bool {
    path.starts_with("/auth/")
}

/// People are sent to log in, programs are told to.
fn to_login(request: &Request<Incoming>) -> Response<Body> {
    if !proxy::is_navigation(request.method(), request.headers()) {
        return AuthError::Unauthenticated.into_response();
    }
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    see_other(&format!("/login?next={next}"))
}

/// Why there is no sandbox to ask, as a page or as JSON.
fn unclaimed(request: &Request<Incoming>, error: ClaimError) -> Response<Body> {
    match error {
        ClaimError::Sandbox { sandbox, cause } => {
            let failure = Failure::unavailable(sandbox, cause.to_string(), RETRY_SECS);
            proxy::failure_response(request.headers(), &failure)
        }
        ClaimError::Busy { sandbox, full } => {
            let reason = Reason::Busy(full);
            proxy::failure_response(request.headers(), &Failure { sandbox, reason })
        }
        error => HttpError::from(error).into_response(),
    }
}

fn to_recovery(request: &Request<Incoming>) -> Response<Body> {
    if proxy::is_navigation(request.method(), request.headers()) {
        return see_other("/recovery");
    }
    AuthError::RecoverySession.into_response()
}

/// The same target with `/dev` taken off once; `/dev` alone becomes `/`.
fn without_dev(uri: &Uri) -> Uri {
    let target = uri.path_and_query().map_or("/dev", PathAndQuery::as_str);
    let rest = target.strip_prefix("/dev").unwrap_or(target);
    let rest = if rest.starts_with('/') {
        rest.to_owned()
    } else {
        format!("/{rest}")
    };
    // A suffix of a valid target from a slash on, or from a `?` behind a new one, is valid.
    rest.parse().unwrap_or_default()
}

fn see_other(location: &str) -> Response<Body> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    // Percent-encoded by form_urlencoded, hence a header value.
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// After a malformed request its connection's bytes mean nothing, so it is closed; HTTP/2 has
/// streams for that.
fn refused(refusal: Refusal, version: Version) -> Response<Body> {
    let mut response = refusal.into_response();
    if version != Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dev_and_what_is_under_it_goes_to_dev() {
        for path in ["/dev", "/dev/", "/dev/x", "/dev/dev/x"] {
            assert_eq!(
                Destination::of(path),
                Destination::Sandbox(Role::Dev),
                "{path}"
            );
        }
        for path in [
            "/",
            "/devices",
            "/de",
            "/Dev",
            "//dev",
            "/x/dev",
            "/healthy",
            "/health/x",
            "/administrator",
            "/authors",
        ] {
            assert_eq!(
                Destination::of(path),
                Destination::Sandbox(Role::Live),
                "{path}"
            );
        }
        for path in ["/admin", "/admin/", "/admin/x", "/auth/account"] {
            assert_eq!(Destination::of(path), Destination::Private, "{path}");
        }
        for path in ["/health", "/login", "/auth", "/auth/me", "/metrics"] {
            assert_eq!(Destination::of(path), Destination::Public, "{path}");
        }
    }

    #[test]
    fn the_dev_prefix_is_removed_once() {
        for (from, to) in [
            ("/dev", "/"),
            ("/dev/", "/"),
            ("/dev?a=1", "/?a=1"),
            ("/dev/dev/x?y", "/dev/x?y"),
            ("/dev//x", "//x"),
            ("http://h/dev/x", "/x"),
        ] {
            assert_eq!(without_dev(&from.parse().unwrap()).to_string(), to);
        }
    }
}
