//! Says which part of the program a request is for, and who may send it there.

use super::claim::count_write;
use super::destination::Destination;
use super::handler::{Entrance, Inbound, RequestHandler};
use super::host;
use super::paths::{DEV, Paths, without_dev};
use super::place::Place;
use super::record::{Record, Recorded};
use super::redirect::Redirect;
use super::replies::{
    misdirected, nothing_here, refused, see_other, to_dev, to_login, to_recovery, unclaimed,
};
use super::{passkey_policy, service_worker, site};
use crate::Body;
use crate::auth::{self, Auth, AuthError, Bearer, Principal, take_bearer};
use crate::config::{Config, Origins};
use crate::cookie_names::CookieNames;
use crate::forwarding::{self, Forwarding};
use crate::lifetime::Lifetimes;
use crate::metrics::{Metrics, WorkerMetrics};
use crate::peer::{Peer, Source};
use crate::proxy::{self, Proxy, ResponseBody};
use crate::request_context::RequestContext;
use crate::role::Role;
use crate::routes::{Claim, ClaimError, Host, Membership, Routes};
use axum::Router;
use axum::response::IntoResponse;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use ipnet::IpNet;
use std::rc::Rc;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::context::TokioContext;
use tower::ServiceExt;
use tracing::Instrument as _;

/// Everything that a request can meet.
pub struct Gateway {
    pub(super) auth: Arc<Auth>,
    pub(super) routes: Arc<Routes>,
    pub(super) proxy: Proxy,
    /// What this program answers itself: shell, auth, admin, health, metrics.
    own: Router,
    metrics: Arc<Metrics>,
    /// Whether each sandbox has a host of its own.
    has_hosts: bool,
    /// Where our own paths are.
    pub(super) paths: Paths,
    /// Our origin, as browsers write it.
    pub(super) origin: HeaderValue,
    /// The address of the account page.
    pub(super) account: String,
    trusted: Vec<IpNet>,
    redirect: Redirect,
    /// For how long browsers are to come by https alone; 0 for as they like.
    hsts_secs: u64,
    /// Whether each request is a line of the access log.
    logs_access: bool,
    /// The way to other machines, where there are any.
    forwarding: Option<Arc<Forwarding>>,
    /// What our cookies are called.
    pub(super) cookies: CookieNames,
}

impl Gateway {
    /// The gateway over its parts; `own` answers every path that is not a sandbox's.
    pub fn new(
        auth: Arc<Auth>,
        routes: Arc<Routes>,
        proxy: Proxy,
        own: Router,
        metrics: Arc<Metrics>,
        forwarding: Option<Arc<Forwarding>>,
        config: &Config,
    ) -> Self {
        Self {
            auth,
            routes,
            proxy,
            own,
            metrics,
            has_hosts: config.origins == Origins::Own,
            paths: Paths::new(config.prefix()),
            account: config.account_url(),
            // A serialized origin is ASCII; if ever it were not, no page would be let in.
            origin: HeaderValue::try_from(config.origin().origin().ascii_serialization())
                .unwrap_or(HeaderValue::from_static("")),
            trusted: config.server.trusted_proxies.clone(),
            redirect: Redirect::new(config),
            hsts_secs: config.tls.hsts_secs,
            logs_access: config.log.access,
            forwarding,
            cookies: CookieNames::of(&config.origin()),
        }
    }

    pub(super) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Tells of each session, and each access, that is ended.
    pub(super) fn ends(&self) -> watch::Receiver<()> {
        self.auth.end_notifier().subscribe()
    }

    /// The counters of one more worker.
    pub(super) fn worker_metrics(&self) -> Arc<WorkerMetrics> {
        self.metrics.worker()
    }

    pub(super) fn forwarding(&self) -> Option<Arc<Forwarding>> {
        self.forwarding.clone()
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
    pub(super) peers: Option<forwarding::Connections>,
    pub(super) hsts: Option<HeaderValue>,
    pub(super) metrics: Arc<WorkerMetrics>,
}

impl RequestHandler for Dispatch {
    type Body = Recorded<ResponseBody<Claim>>;

    async fn handle(&self, request: Request<Incoming>, inbound: Inbound) -> Response<Self::Body> {
        let Inbound {
            source,
            entrance,
            downstream,
        } = inbound;
        let is_https = entrance == Entrance::Https;
        let mut context = RequestContext::new(downstream);
        if self.gateway.logs_access {
            context = context.logged(&request, source.address());
            proxy::note_trace(request.headers(), &context);
        }
        let record = Record::begin(context, self.metrics.clone());
        let context = &record.context;
        let mut response = self.respond(request, source, entrance, context).await;
        if !self.gateway.has_hosts {
            passkey_policy::withhold(response.headers_mut());
        }
        if let Some(hsts) = self.hsts.as_ref().filter(|_| is_https) {
            let headers = response.headers_mut();
            headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        context.put_id(response.headers_mut());
        record.respond(response)
    }

    fn refused(&self, status: StatusCode) {
        self.metrics.count_response(status);
    }
}

impl Dispatch {
    async fn respond(
        &self,
        mut request: Request<Incoming>,
        source: Source,
        entrance: Entrance,
        context: &RequestContext,
    ) -> Response<ResponseBody<Claim>> {
        let gateway = &*self.gateway;
        let own = |response: Response<Body>| response.map(ResponseBody::Left);
        if let Err(refusal) = host::check(&request) {
            let version = request.version();
            return own(refused(refusal, version));
        }
        let redirect = &gateway.redirect;
        if let Some(response) = redirect.response(&request, entrance, &gateway.routes) {
            return own(response);
        }
        let scheme = entrance.scheme();
        let peer = match entrance {
            Entrance::Gateway => Peer::of_gateway(source, request.headers(), &gateway.trusted),
            _ => Peer::new(source, scheme, request.headers(), &gateway.trusted),
        };
        context.set_client(peer.client);
        if let Some(carried) = &peer.carried
            && !self.knows(carried)
            && !Box::pin(self.hears_of(carried)).await
        {
            return own(misdirected());
        }
        // Wherever it goes: no sandbox ever sees one.
        let bearer = take_bearer(request.headers_mut());
        let path = request.uri().path();
        let destination = if gateway.has_hosts {
            match site::of(&request, &gateway.routes) {
                Host::Gateway => Destination::of_gateway(path),
                Host::Sandbox(workspace, role) => {
                    let place = Place { workspace, role };
                    return self
                        .at_sandbox(request, bearer, &peer, context, &place)
                        .await;
                }
                Host::Elsewhere(workspace, _) => {
                    let (workspace, bearer) = (&*workspace, bearer.as_ref());
                    return Box::pin(self.at_home(workspace, request, bearer, &peer, context))
                        .await;
                }
                Host::Unknown => return own(self.no_host(&request)),
            }
        } else if let Err(error) = service_worker::check(&request, &gateway.paths) {
            return own(error.into_response());
        } else if path == "/.choiros/account" {
            // How a sandbox's page finds the account, wherever either is.
            return own(see_other(&gateway.account));
        } else {
            Destination::of_shared(path, &gateway.paths)
        };
        let bearer = bearer.filter(|_| destination.takes_tokens(gateway.has_hosts));
        self.at_gateway(request, bearer, peer, context, destination)
            .await
    }

    /// At the gateway's own host.
    ///
    /// What waits for something other than a sandbox is boxed: each connection has room for the
    /// largest of all these futures, whatever its requests are for.
    async fn at_gateway(
        &self,
        request: Request<Incoming>,
        bearer: Option<Bearer>,
        peer: Peer,
        context: &RequestContext,
        destination: Destination,
    ) -> Response<ResponseBody<Claim>> {
        let gateway = &*self.gateway;
        let own = |response: Response<Body>| response.map(ResponseBody::Left);
        if bearer.is_none()
            && let Err(error) = auth::check_origin(
                request.method(),
                request.headers(),
                gateway.origin.as_bytes(),
            )
        {
            return own(error.into_response());
        }
        let principal = self.principal(&request, bearer.as_ref()).await;
        if let Ok(Some(principal)) = &principal {
            context.set_user(principal.user().id);
            if let Some(home) = self
                .home_for(&request, &destination, principal, &peer)
                .await
            {
                let bearer = bearer.as_ref();
                return Box::pin(self.at_home(&home, request, bearer, &peer, context)).await;
            }
        }
        if let Ok(None) = &principal
            && let Some(machine) = self.begun_at(&request, &peer).await
        {
            return Box::pin(self.carry(&machine, None, request, None, &peer, context)).await;
        }
        match (destination, principal) {
            (Destination::Nothing, _) => own(nothing_here(&request, &gateway.account)),
            (Destination::Public, Err(error)) if self.is_about_sessions(&request) => {
                own(error.into_response())
            }
            (Destination::Public, principal) => {
                own(Box::pin(self.own(request, peer, context, principal.ok().flatten())).await)
            }
            (_, Err(error)) => own(error.into_response()),
            (Destination::Api, Ok(principal)) => {
                own(Box::pin(self.own(request, peer, context, principal)).await)
            }
            (_, Ok(None)) => own(to_login(&request, &gateway.paths)),
            (Destination::Private, Ok(principal)) => {
                own(Box::pin(self.own(request, peer, context, principal)).await)
            }
            (_, Ok(Some(Principal::Person(session)))) if !session.is_full() => {
                own(to_recovery(&request, &gateway.paths))
            }
            (Destination::Enter, Ok(Some(Principal::Person(session)))) => {
                own(Box::pin(self.lead_in(&request, &session)).await)
            }
            (Destination::Sandbox(role), Ok(Some(Principal::Person(session))))
                if gateway.has_hosts =>
            {
                own(Box::pin(self.lead_on(&request, &session, role)).await)
            }
            (Destination::Sandbox(role), Ok(Some(principal))) => {
                let bearer = bearer.as_ref();
                self.sandbox(request, bearer, &peer, context, &principal, role)
                    .await
            }
            (Destination::Enter, Ok(Some(Principal::Token(_)))) => {
                own(AuthError::NoTokens.into_response())
            }
        }
    }

    /// Polls `future` here, but what it starts belongs to the runtime that outlives the worker.
    pub(super) fn outliving<F: Future>(&self, future: F) -> TokioContext<F> {
        TokioContext::new(future, self.runtime.clone())
    }

    async fn own(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        context: &RequestContext,
        principal: Option<Principal>,
    ) -> Response<Body> {
        let mut request = request.map(Body::new);
        let beginning = self.beginning(request.uri().path());
        let paths = &self.gateway.paths;
        if let Some(uri) = paths.within(request.uri()) {
            *request.uri_mut() = uri;
        }
        let extensions = request.extensions_mut();
        extensions.insert(peer);
        if let Some(principal) = principal {
            principal.insert_into(extensions);
        }
        // What is written to the log meanwhile says which request it was for.
        let request_id = context.id().map(tracing::field::display);
        let span = tracing::info_span!("request", request_id);
        let response = self
            .outliving(self.gateway.own.clone().oneshot(request).instrument(span))
            .await;
        let mut response = response.unwrap_or_else(|never| match never {});
        if let Some(cookie) = beginning.filter(|_| response.status().is_success()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        // A page of another origin, a sandbox's included, has no use of it but a bad one.
        let headers = response.headers_mut();
        let policy = headers.entry("cross-origin-resource-policy");
        policy.or_insert(HeaderValue::from_static("same-origin"));
        response
    }

    async fn sandbox(
        &self,
        mut request: Request<Incoming>,
        bearer: Option<&Bearer>,
        peer: &Peer,
        context: &RequestContext,
        principal: &Principal,
        role: Role,
    ) -> Response<ResponseBody<Claim>> {
        let gateway = &*self.gateway;
        if let Some(response) = to_dev(&request) {
            return response.map(ResponseBody::Left);
        }
        context.set_role(role);
        let (user, routes) = (principal.user(), &gateway.routes);
        let membership = match routes.chosen(user.id) {
            Some(membership) => Ok(membership),
            None => Box::pin(self.outliving(routes.membership_of(user))).await,
        };
        let Membership {
            workspace,
            lifetime,
        } = match membership {
            Ok(membership) => membership,
            Err(ClaimError::Moved { workspace }) => {
                return Box::pin(self.at_home(&workspace, request, bearer, peer, context)).await;
            }
            Err(error) => {
                return unclaimed(&gateway.proxy, &request, error, true, context)
                    .map(ResponseBody::Left);
            }
        };
        context.set_workspace(&workspace.name);
        if let Err(error) = principal.may_open(&workspace.name) {
            return error.into_response().map(ResponseBody::Left);
        }
        let lifetimes = Lifetimes {
            session: Some(principal.lifetime().clone()),
            access: Some(lifetime),
        };
        let tried = routes.try_claim(&workspace, role, Some(user.id));
        let claim = || routes.claim(&workspace, role, Some(user.id));
        let claim = match self.claim(tried, claim, &lifetimes).await {
            Some(Ok(claim)) => claim,
            None => return to_login(&request, &gateway.paths).map(ResponseBody::Left),
            Some(Err(ClaimError::Moved { workspace })) => {
                return Box::pin(self.at_home(&workspace, request, bearer, peer, context)).await;
            }
            Some(Err(error)) => {
                return unclaimed(&gateway.proxy, &request, error, true, context)
                    .map(ResponseBody::Left);
            }
        };
        if role == Role::Dev {
            *request.uri_mut() = without_dev(request.uri());
        }
        count_write(&request, &claim);
        let caller = proxy::Caller {
            user: Some((user.id, &user.username)),
            origin: Some(&gateway.origin),
            own_host: None,
            prefix: (role == Role::Dev).then_some(DEV),
            peer,
            context,
            lifetimes,
        };
        let proxy = &gateway.proxy;
        proxy.forward(&self.upstreams, request, caller, claim).await
    }

    /// Whether it makes a difference there that a session cannot be looked up.
    pub(super) fn is_about_sessions(&self, request: &Request<Incoming>) -> bool {
        let own = self.gateway.paths.own(request.uri().path());
        own.is_some_and(|path| path.starts_with("/auth/"))
    }

    /// What was tried, or else what is waited for; `None` if the caller's time is over before.
    pub(super) async fn claim<F: Future<Output = Result<Claim, ClaimError>>>(
        &self,
        tried: Result<Option<Claim>, ClaimError>,
        wait: impl FnOnce() -> F,
        lifetimes: &Lifetimes,
    ) -> Option<Result<Claim, ClaimError>> {
        if let Some(tried) = tried.transpose() {
            return Some(tried);
        }
        let waiting = Box::pin(self.outliving(wait()));
        self.upstreams.unless_over(lifetimes, waiting).await
    }
}
