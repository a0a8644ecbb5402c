//! A request at a sandbox's own host.
//!
//! Everything there is the sandbox's but `/.choiros/`. Who has a grant of this host is let in; a
//! person who has none is sent to the gateway for one, and a program is told so.

use super::claim::count_write;
use super::dispatch::Dispatch;
use super::place::{Place, reserved};
use super::replies::unclaimed;
use crate::access::Access;
use crate::auth::{self, AuthError, Session};
use crate::downstream::Downstream;
use crate::lifetime::Lifetimes;
use crate::peer::Peer;
use crate::proxy::{self, ResponseBody};
use crate::routes::Claim;
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
}

impl Dispatch {
    pub(super) async fn at_sandbox(
        &self,
        request: Request<Incoming>,
        peer: &Peer,
        downstream: &Downstream,
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
        if access == Access::Public {
            return self
                .let_in(
                    request,
                    peer,
                    downstream,
                    place,
                    Guest::default(),
                    lifetimes,
                )
                .await;
        }
        let origin = place.site().origin.as_bytes();
        if let Err(error) = auth::check_origin(request.method(), request.headers(), origin) {
            return error.into_response().map(ResponseBody::Left);
        }
        let session = match self.session_at(&request, place).await {
            Ok(Some(session)) => session,
            Ok(None) => return self.ask(&request, place).map(ResponseBody::Left),
            Err(error) => return error.into_response().map(ResponseBody::Left),
        };
        let routes = &self.gateway.routes;
        let membership = routes.membership(session.user.id, &place.workspace);
        let is_member = membership.is_some();
        if is_member {
            lifetimes.access = membership;
        } else if access == Access::Members {
            return self.no_member(&request).map(ResponseBody::Left);
        }
        lifetimes.session = Some(session.lifetime.clone());
        let guest = Guest {
            user: Some((session.user.id, &session.user.username)),
            is_member,
        };
        self.let_in(request, peer, downstream, place, guest, lifetimes)
            .await
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
        downstream: &Downstream,
        place: &Place,
        Guest { user, is_member }: Guest<'_>,
        lifetimes: Lifetimes,
    ) -> Response<ResponseBody<Claim>> {
        let (routes, proxy) = (&self.gateway.routes, &self.gateway.proxy);
        let (workspace, role, site) = (&*place.workspace, place.role, place.site());
        let id = user.map(|(id, _)| id);
        let tried = routes.try_claim(workspace, role, id);
        let claim = || routes.claim(workspace, role, id);
        let claim = match self.claim(tried, claim, &lifetimes).await {
            Some(Ok(claim)) => claim,
            Some(Err(error)) => {
                // Whom nothing but the access lets in is told less.
                return unclaimed(proxy, &request, error, is_member).map(ResponseBody::Left);
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
            downstream,
            lifetimes,
        };
        proxy.forward(&self.upstreams, request, caller, claim).await
    }
}
