//! Says which part of the program a request is for, and who may send it there.

use super::{Errand, Head, Peer, Source, host, peer};
use crate::Body;
use crate::auth::{self, Auth, AuthError, Session};
use crate::config::Config;
use crate::error::HttpError;
use crate::metrics::Metrics;
use crate::proxy::{self, Failure, Proxy, Reason};
use crate::role::Role;
use crate::routes::{Claim, ClaimError, Routes};
use axum::Router;
use axum::response::IntoResponse;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use ipnet::IpNet;
use std::sync::Arc;
use tokio::runtime::Handle;
use tower::ServiceExt;
use url::Url;

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
    origin: Url,
    /// The same as browsers write it.
    origin_text: String,
    trusted: Vec<IpNet>,
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
            origin: config.origin(),
            origin_text: config.origin().origin().ascii_serialization(),
            trusted: config.server.trusted_proxies.clone(),
        }
    }

    pub(super) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Answers one request.
    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        source: Source,
    ) -> Response<Body> {
        let response = self.response(request, source).await;
        self.metrics.count_response(response.status());
        response
    }

    async fn response(&self, request: Request<Incoming>, source: Source) -> Response<Body> {
        if let Err(reason) = host::check(&request) {
            return malformed(reason);
        }
        let request = request.map(Body::new);
        let peer = Peer::new(source, request.headers(), &self.trusted);
        if let Err(error) = auth::check_origin(request.method(), request.headers(), &self.origin) {
            return error.into_response();
        }
        let session = self.auth.find_session(request.headers()).await;
        match (Destination::of(request.uri().path()), session) {
            (Destination::Public, session) => self.own(request, peer, session.ok().flatten()).await,
            (_, Err(error)) => error.into_response(),
            (_, Ok(None)) => to_login(&request),
            (Destination::Private, Ok(session)) => self.own(request, peer, session).await,
            (Destination::Sandbox(role), Ok(Some(session))) => {
                self.sandbox(request, &peer, &session, role).await
            }
        }
    }

    /// What a plain request comes to. Whatever is not a sandbox's, or is refused, is general.
    /// What it may start or make for a sandbox outlives its connection, on `runtime`.
    pub(super) fn errand(self: &Arc<Self>, head: &Head<'_>, runtime: &Handle) -> Errand<Claim> {
        let Destination::Sandbox(role) = Destination::of(head.path()) else {
            return Errand::General;
        };
        let safe = matches!(head.method, "GET" | "HEAD" | "OPTIONS");
        let (sites, origins) = (head.values("sec-fetch-site"), head.values("origin"));
        if !(safe || auth::is_ours(sites, origins, &self.origin_text)) {
            return Errand::General;
        }
        let Some(session) = self.auth.session_of(head.values("cookie")) else {
            return self.recall(head, runtime);
        };
        if !session.is_full() {
            return Errand::General;
        }
        let caller = proxy::Caller {
            user_id: session.user.id,
        };
        match self.routes.try_claim(session.user.id, role) {
            Ok(Some(claim)) => Errand::Go(caller, claim),
            Ok(None) => {
                let this = self.clone();
                let claiming = async move { this.routes.claim(&session.user, role).await };
                Errand::Wait(caller, runtime.spawn(claiming))
            }
            Err(error) => Errand::Refuse(error),
        }
    }

    /// Has a session that is not in memory looked up, if one is named at all.
    fn recall(&self, head: &Head<'_>, runtime: &Handle) -> Errand<Claim> {
        let named = self.auth.names_session(head.values("cookie"));
        let Some(request) = named.then(|| head.to_request()).flatten() else {
            return Errand::General;
        };
        let auth = self.auth.clone();
        Errand::Recall(runtime.spawn(async move {
            let found = auth.find_session(request.headers()).await;
            matches!(found, Ok(Some(_)))
        }))
    }

    /// Whether it is a trusted proxy.
    pub(super) fn trusts(&self, source: &Source) -> bool {
        peer::trusts(source, &self.trusted)
    }

    /// The proxy, for what is on the fast path.
    pub(super) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Counts a response that did not come through [`Gateway::handle`].
    pub(super) fn count_response(&self, status: StatusCode) {
        self.metrics.count_response(status);
    }

    async fn own(
        &self,
        mut request: Request<Body>,
        peer: Peer,
        session: Option<Arc<Session>>,
    ) -> Response<Body> {
        let extensions = request.extensions_mut();
        extensions.insert(peer);
        if let Some(session) = session {
            extensions.insert(session);
        }
        let response = self.own.clone().oneshot(request).await;
        response.unwrap_or_else(|never| match never {})
    }

    async fn sandbox(
        &self,
        mut request: Request<Body>,
        peer: &Peer,
        session: &Session,
        role: Role,
    ) -> Response<Body> {
        if !session.is_full() {
            return to_recovery(&request);
        }
        let claim = match self.routes.claim(&session.user, role).await {
            Ok(claim) => claim,
            Err(error) => return unclaimed(&request, error),
        };
        if role == Role::Dev {
            *request.uri_mut() = without_dev(request.uri());
        }
        let caller = proxy::Caller {
            user_id: session.user.id,
        };
        self.proxy.forward(request, peer, &caller, claim).await
    }
}

/// People are sent to log in, programs are told to.
fn to_login(request: &Request<Body>) -> Response<Body> {
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
pub(super) fn unclaimed(request: &Request<Body>, error: ClaimError) -> Response<Body> {
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

fn to_recovery(request: &Request<Body>) -> Response<Body> {
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

/// 400, and the connection is closed: after a malformed request its bytes mean nothing.
fn malformed(reason: &'static str) -> Response<Body> {
    let mut response =
        HttpError::new(StatusCode::BAD_REQUEST, "malformed_request", reason).into_response();
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
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
