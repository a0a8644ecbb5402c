//! A request at a sandbox's own host.
//!
//! Everything there is the sandbox's but `/.choiros/`. Who has a grant of this host is let in; a
//! person who has none is sent to the gateway for one, and a program is told so.

use super::claim::count_write;
use super::dispatch::Dispatch;
use super::place::{Place, reserved};
use super::replies::unclaimed;
use crate::Body;
use crate::access::Access;
use crate::auth::{self, ApiToken, AuthError, Bearer, Principal, Session};
use crate::lifetime::Lifetimes;
use crate::peer::Peer;
use crate::proxy::{self, ResponseBody};
use crate::request_context::RequestContext;
use crate::routes::{Claim, ClaimError};
use axum::response::IntoResponse;
use http::{Request, Response};
use hyper::body::Incoming;
use std::sync::Arc;
use uuid::Uuid;

/// Who is let in.
#[derive(Default)]
struct Guest<'a> {
    /// Nobody in particular, where nobody is asked.
    user: Option<(Uuid, &'a str)>,
    is_member: bool,
    /// What they came with, should the gateway of another machine have to ask who they are.
    bearer: Option<&'a Bearer>,
}

impl Dispatch {
    pub(super) async fn at_sandbox(
        &self,
        request: Request<Incoming>,
        bearer: Option<Bearer>,
        peer: &Peer,
        context: &RequestContext,
        place: &Place,
    ) -> Response<ResponseBody<Claim>> {
        if let Some(rest) = reserved(request.uri().path()) {
            let response = Box::pin(self.reserved(&request, rest, peer, place)).await;
            return response.map(ResponseBody::Left);
        }
        let (access, lifetime) = {
            let opening = place.workspace.opening(place.role);
            let lifetime = (opening.access != Access::Members).then(|| opening.lifetime.clone());
            (opening.access, lifetime)
        };
        let mut lifetimes = Lifetimes {
            session: None,
            access: lifetime,
        };
        let bearer = bearer.as_ref();
        let token = match self.token_at(bearer, place).await {
            Ok(token) => token,
            Err(error) => return error.into_response().map(ResponseBody::Left),
        };
        if access == Access::Public {
            let guest = Guest {
                bearer,
                ..Guest::default()
            };
            return self
                .let_in(request, peer, context, place, guest, lifetimes)
                .await;
        }
        let principal = match token {
            Some(token) => Principal::Token(token),
            None => match self.person_at(&request, place).await {
                Ok(session) => Principal::Person(session),
                Err(response) => return response.map(ResponseBody::Left),
            },
        };
        let (routes, user) = (&self.gateway.routes, principal.user());
        context.set_user(user.id);
        let membership = routes.membership(user.id, &place.workspace);
        let is_member = membership.is_some();
        if is_member {
            lifetimes.access = membership;
        } else if let Some(workspace) = routes.moved(&place.workspace) {
            return Box::pin(self.at_home(&workspace, request, bearer, peer, context)).await;
        } else if access == Access::Members {
            return self.no_member(&request).map(ResponseBody::Left);
        }
        lifetimes.session = Some(principal.lifetime().clone());
        let guest = Guest {
            user: Some((user.id, &user.username)),
            is_member,
            bearer,
        };
        self.let_in(request, peer, context, place, guest, lifetimes)
            .await
    }

    /// The token that came along, if any; one that does not open this is refused.
    async fn token_at(
        &self,
        bearer: Option<&Bearer>,
        place: &Place,
    ) -> Result<Option<Arc<ApiToken>>, AuthError> {
        let Some(bearer) = bearer else {
            return Ok(None);
        };
        let token = self.token(bearer).await?;
        token.may_open(&place.workspace.name)?;
        Ok(Some(token))
    }

    /// The session of a person who is let in, or what they are answered.
    async fn person_at(
        &self,
        request: &Request<Incoming>,
        place: &Place,
    ) -> Result<Arc<Session>, Response<Body>> {
        let origin = place.site().origin.as_bytes();
        auth::check_origin(request.method(), request.headers(), origin)
            .map_err(IntoResponse::into_response)?;
        match self.session_at(request, place).await {
            Ok(Some(session)) => Ok(session),
            Ok(None) => Err(self.ask(request, place)),
            Err(error) => Err(error.into_response()),
        }
    }

    /// The session whose grant came along, unless a page of another origin sent it.
    async fn session_at(
        &self,
        request: &Request<Incoming>,
        place: &Place,
    ) -> Result<Option<Arc<Session>>, AuthError> {
        let headers = request.headers();
        if proxy::is_from_other_origin(request.method(), headers) {
            return Ok(None);
        }
        let (auth, host) = (&self.gateway.auth, &place.site().host);
        match auth.granted(headers, host) {
            Some(session) => Ok(Some(session)),
            None => Box::pin(self.outliving(auth.fetch_granted(headers, host))).await,
        }
    }

    /// On to the sandbox; with no `user` nobody was asked who comes, nor from which page.
    async fn let_in(
        &self,
        request: Request<Incoming>,
        peer: &Peer,
        context: &RequestContext,
        place: &Place,
        Guest {
            user,
            is_member,
            bearer,
        }: Guest<'_>,
        lifetimes: Lifetimes,
    ) -> Response<ResponseBody<Claim>> {
        let (routes, proxy) = (&self.gateway.routes, &self.gateway.proxy);
        let (workspace, role, site) = (&*place.workspace, place.role, place.site());
        let id = user.map(|(id, _)| id);
        context.set_role(role);
        context.set_workspace(&workspace.name);
        let tried = routes.try_claim(workspace, role, id);
        let claim = || routes.claim(workspace, role, id);
        let claim = match self.claim(tried, claim, &lifetimes).await {
            Some(Ok(claim)) => claim,
            Some(Err(ClaimError::Moved { workspace })) => {
                return Box::pin(self.at_home(&workspace, request, bearer, peer, context)).await;
            }
            Some(Err(error)) => {
                // Whom nothing but the access lets in is told less.
                return unclaimed(proxy, &request, error, is_member, context)
                    .map(ResponseBody::Left);
            }
            None => return self.ask(&request, place).map(ResponseBody::Left),
        };
        count_write(&request, &claim);
        let caller = proxy::Caller {
            user,
            origin: user.map(|_| &site.origin),
            own_host: Some(&site.host),
            prefix: None,
            peer,
            context,
            lifetimes,
        };
        proxy.forward(&self.upstreams, request, caller, claim).await
    }
}
