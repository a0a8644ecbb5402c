//! The way to a sandbox's own host: `/auth/enter` at the gateway's, `/.choiros/enter` at the
//! sandbox's, and what is answered there to those who have no grant.

use super::dispatch::Dispatch;
use super::place::Place;
use super::replies::{encoded, nothing_here, refusal, see_other, target};
use crate::Body;
use crate::access::Access;
use crate::auth::{EnterError, Session};
use crate::error::HttpError;
use crate::http1::is_target;
use crate::peer::Peer;
use crate::proxy;
use crate::role::Role;
use crate::routes::{Host, Site};
use axum::response::IntoResponse;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use std::borrow::Cow;
use std::sync::Arc;

/// Bytes of a path, or a path and a query, to which people are led back. It is encoded twice on
/// its way, and has to fit into a request's head then.
const LONGEST: usize = 2048;

/// The service worker that takes itself away.
const WORKER: &str = include_str!("worker.js");

impl Dispatch {
    /// At a sandbox's host: a person is sent to the gateway, to come back with a token.
    pub(super) fn ask(&self, request: &Request<Incoming>, place: &Place) -> Response<Body> {
        let (method, headers) = (request.method(), request.headers());
        let site = place.site();
        if headers
            .get("service-worker")
            .is_some_and(|it| it == "script")
            && !proxy::is_from_other_origin(method, headers)
        {
            return worker();
        }
        if proxy::is_top_level(method, headers) {
            return self.to_gateway(request, site);
        }
        let said = format!(
            "nobody is logged in here; open {} in a window of its own and log in",
            site.url
        );
        let error = HttpError::new(StatusCode::UNAUTHORIZED, "unauthenticated", said);
        refusal(request, "Not logged in", error, &[])
    }

    fn to_gateway(&self, request: &Request<Incoming>, site: &Site) -> Response<Body> {
        let (challenge, cookie) = match self.gateway.auth.challenge(request.headers()) {
            Ok(challenge) => challenge,
            Err(error) => return error.into_response(),
        };
        let to = format!("{}{}", text(&site.origin), way_back(request));
        let gateway = text(&self.gateway.origin);
        let to = encoded(&to);
        let mut response = see_other(&format!(
            "{gateway}/auth/enter?challenge={challenge}&to={to}"
        ));
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        response
    }

    /// At the gateway's host: gives a person a token for a sandbox's.
    pub(super) async fn lead_in(
        &self,
        request: &Request<Incoming>,
        session: &Arc<Session>,
    ) -> Response<Body> {
        let account = [(&*self.gateway.account, "Account")];
        let refused = |error| refusal(request, "Not let in", error, &account);
        if !proxy::is_top_level(request.method(), request.headers()) {
            return refused(HttpError::new(
                StatusCode::FORBIDDEN,
                "not_a_navigation",
                "this address is for a browser's window that goes to a sandbox; open the sandbox's own address",
            ));
        }
        let to = query(request, "to").unwrap_or_default();
        let Some((place, path)) = self.place(&to) else {
            return refused(HttpError::new(
                StatusCode::NOT_FOUND,
                "no_such_sandbox",
                "the address to go to is not one of a sandbox here; the account page has the addresses of yours",
            ));
        };
        if let Err(error) = self.may_enter(session, &place).await {
            return refused(error);
        }
        let challenge = query(request, "challenge").unwrap_or_default();
        let site = place.site();
        match self
            .gateway
            .auth
            .enter_token(session, &site.host, &challenge)
        {
            Ok(token) => {
                let (origin, path) = (text(&site.origin), encoded(path));
                see_other(&format!("{origin}/.choiros/enter?token={token}&to={path}"))
            }
            Err(error) => refused(error.into()),
        }
    }

    /// The sandbox of this address, and the path there. The address begins with the sandbox's very
    /// origin: nothing in it is left to how a browser reads it.
    fn place<'t>(&self, to: &'t str) -> Option<(Place, &'t str)> {
        let (scheme, rest) = to.split_once("://")?;
        let at = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let host = rest[..at].split(':').next().unwrap_or_default();
        let Host::Sandbox(workspace, role) = self.gateway.routes.host(host) else {
            return None;
        };
        let place = Place { workspace, role };
        let (origin, path) = to.split_at(scheme.len() + 3 + at);
        (origin == text(&place.site().origin) && is_path(path)).then_some((place, path))
    }

    async fn may_enter(&self, session: &Session, place: &Place) -> Result<(), HttpError> {
        let (routes, user) = (&self.gateway.routes, &session.user);
        // Who is here for the first time has none yet.
        let theirs = self.outliving(routes.workspace(user)).await;
        if place.workspace.access(place.role) > Access::Members
            || routes.is_member(user.id, &place.workspace)
        {
            return Ok(());
        }
        theirs?;
        Err(not_a_member())
    }

    /// At the gateway's host: on to the person's own sandbox.
    pub(super) async fn lead_on(
        &self,
        request: &Request<Incoming>,
        session: &Session,
        role: Role,
    ) -> Response<Body> {
        if !matches!(request.method().as_str(), "GET" | "HEAD") {
            return nothing_here(request, &self.gateway.account);
        }
        let workspace = self.outliving(self.gateway.routes.workspace(&session.user));
        let workspace = match workspace.await {
            Ok(workspace) => workspace,
            Err(error) => {
                let account = [(&*self.gateway.account, "Account")];
                return refusal(request, "No workspace", error.into(), &account);
            }
        };
        let target = target(request);
        let target = match role {
            Role::Live => target,
            Role::Dev => target.strip_prefix("/dev").unwrap_or_default(),
        };
        let slash = if target.starts_with('/') { "" } else { "/" };
        see_other(&format!(
            "{}{slash}{target}",
            text(&workspace.site(role).origin)
        ))
    }

    /// At a sandbox's host: what is below `/.choiros/`.
    pub(super) async fn reserved(
        &self,
        request: &Request<Incoming>,
        path: &str,
        peer: &Peer,
        place: &Place,
    ) -> Response<Body> {
        match path {
            "enter" => self.enter(request, peer, place).await,
            "account" => see_other(&self.gateway.account),
            _ => nothing_here(request, &self.gateway.account),
        }
    }

    async fn enter(
        &self,
        request: &Request<Incoming>,
        peer: &Peer,
        place: &Place,
    ) -> Response<Body> {
        let (headers, site) = (request.headers(), place.site());
        let to = query(request, "to").filter(|to| is_path(to));
        let to = format!("{}{}", text(&site.origin), to.as_deref().unwrap_or("/"));
        let again = [
            (&*to, "Open the sandbox"),
            (&*self.gateway.account, "Account"),
        ];
        if !proxy::is_top_level(request.method(), headers) {
            let error = HttpError::from(EnterError::NoChallenge);
            return refusal(request, "Not let in", error, &again);
        }
        let token = query(request, "token").unwrap_or_default();
        let auth = &self.gateway.auth;
        let entering = auth.enter(headers, &site.host, &token, peer.client);
        match self.outliving(entering).await {
            Ok(cookie) => {
                let mut response = see_other(&to);
                response.headers_mut().insert(header::SET_COOKIE, cookie);
                response
            }
            Err(error) => refusal(request, "Not let in", error.into(), &again),
        }
    }

    /// At a sandbox's host, for somebody who was a member.
    pub(super) fn no_member(&self, request: &Request<Incoming>) -> Response<Body> {
        let account = [(&*self.gateway.account, "Account")];
        refusal(request, "Not yours", not_a_member(), &account)
    }

    /// At a host below the sandbox domain that is no sandbox's.
    pub(super) fn no_host(&self, request: &Request<Incoming>) -> Response<Body> {
        let error = HttpError::new(
            StatusCode::NOT_FOUND,
            "no_host",
            "there is no sandbox at this address; your account page has the addresses of yours",
        );
        let account = [(&*self.gateway.account, "Account")];
        refusal(request, "No such sandbox", error, &account)
    }
}

fn not_a_member() -> HttpError {
    HttpError::new(
        StatusCode::FORBIDDEN,
        "not_a_member",
        "this sandbox is not yours; ask one of its members for access",
    )
}

fn worker() -> Response<Body> {
    let mut response = Response::new(Body::from(WORKER));
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        // Whatever scope the sandbox's worker was allowed.
        ("service-worker-allowed", "/"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Where a person is led back to: the path that they asked for, unless it is too long.
fn way_back<B>(request: &Request<B>) -> &str {
    let candidates = [target(request), request.uri().path()];
    let fits = |to: &&str| to.len() <= LONGEST && is_path(to);
    candidates.into_iter().find(fits).unwrap_or("/")
}

/// Whether it is a path at whichever origin stands before it.
fn is_path(path: &str) -> bool {
    let visible = |byte: u8| is_target(byte) && byte != b'\\' && byte != b'#';
    (path.is_empty() || path.starts_with('/')) && path.bytes().all(visible)
}

/// The first parameter of that name.
pub(super) fn query<'r, B>(request: &'r Request<B>, name: &str) -> Option<Cow<'r, str>> {
    let query = request.uri().query()?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

/// An origin, which is ASCII.
fn text(origin: &HeaderValue) -> &str {
    origin.to_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_might_read_otherwise_is_no_path() {
        for path in ["", "/", "//evil.example/", "/a?b=c&d=%5c", "/@evil", "/a:b"] {
            assert!(is_path(path), "{path}");
        }
        for path in [
            "a", "@evil", "/a\\b", "/a b", "/a\tb", "/\u{e9}", "/a#b", ":80/", "\0",
        ] {
            assert!(!is_path(path), "{path:?}");
        }
    }

    #[test]
    fn a_path_that_is_too_long_is_shortened() {
        let way = |uri: &str| {
            let request = Request::builder().uri(uri).body(()).unwrap();
            way_back(&request).len()
        };
        assert_eq!(way("/a?b"), 4);
        assert_eq!(way(&format!("/a?{}", "b".repeat(LONGEST))), 2);
        assert_eq!(way(&format!("/{}", "b".repeat(LONGEST))), 1);
    }
}
