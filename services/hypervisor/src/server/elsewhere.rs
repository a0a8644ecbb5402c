//! Requests that the gateway of another machine serves: it has the sandboxes that they are for.

use super::destination::Destination;
use super::dispatch::Dispatch;
use super::entry::query;
use super::replies::refusal_to;
use crate::auth::{Bearer, Principal};
use crate::cookie_names;
use crate::error::HttpError;
use crate::peer::Peer;
use crate::proxy::{self, ResponseBody};
use crate::request_context::RequestContext;
use crate::routes::{Claim, ClaimError, Elsewhere, Host};
use axum::response::IntoResponse as _;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use std::sync::Arc;
use tracing::warn;

/// How the paths end at which a ceremony begins, and at which it ends.
const START: &str = "/start";
const FINISH: &str = "/finish";

/// For how many seconds a browser knows where it began: longer than any ceremony lasts.
const LASTS: u64 = 3600;

impl Dispatch {
    /// The response of the machine that is the home of a workspace, or why there is none.
    pub(super) async fn at_home(
        &self,
        machine: &str,
        request: Request<Incoming>,
        bearer: Option<&Bearer>,
        peer: &Peer,
        context: &RequestContext,
    ) -> Response<ResponseBody<Claim>> {
        if peer.is_gateway {
            // Two machines do not agree who has it, as for a moment when it moves.
            let error = HttpError::new(
                StatusCode::MISDIRECTED_REQUEST,
                "misdirected",
                "this machine is not the home of the workspace; try again in a moment",
            );
            return error.into_response().map(ResponseBody::Left);
        }
        let is_page = proxy::is_navigation(request.method(), request.headers());
        let Some(peers) = &self.peers else {
            return self.gone(machine, is_page);
        };
        let (mut head, body) = request.into_parts();
        if let Some(bearer) = bearer {
            bearer.put_back(&mut head.headers);
        }
        proxy::rewrite_for_gateway(&mut head, peer, context);
        match peers
            .forward(machine, Request::from_parts(head, body))
            .await
        {
            Ok(response) => response.map(ResponseBody::Left),
            Err(error) => {
                warn!(machine, %error, "another machine does not answer");
                self.gone(machine, is_page)
            }
        }
    }

    /// The machine that serves this request of a person at the gateway's host, if it is another one:
    /// the home of the workspace that it is for, or else of the one that they are led to. That one
    /// may be out of reach, and then they see what there is to see here.
    pub(super) async fn home_for(
        &self,
        request: &Request<Incoming>,
        destination: &Destination,
        principal: &Principal,
        peer: &Peer,
    ) -> Option<Box<str>> {
        let peers = self.peers.as_ref().filter(|_| !peer.is_gateway)?;
        let routes = &self.gateway.routes;
        let named = match destination {
            Destination::Nothing => return None,
            Destination::Public if !self.is_about_sessions(request) => return None,
            Destination::Enter => self.place_elsewhere(request),
            Destination::Api => self.workspace_in_path(request),
            _ => None,
        };
        if let Some(workspace) = named {
            return Some(workspace.home.clone());
        }
        let machine = routes.seat(principal.user().id)?;
        let is_for_sandbox = matches!(destination, Destination::Sandbox(_));
        if !is_for_sandbox {
            peers.reach(&machine).await.ok()?;
        }
        Some(machine)
    }

    /// The machine that has the ceremony which this request ends, if it is another one: that is in
    /// the memory of whoever began it.
    pub(super) async fn begun_at(
        &self,
        request: &Request<Incoming>,
        peer: &Peer,
    ) -> Option<String> {
        let peers = self.peers.as_ref().filter(|_| !peer.is_gateway)?;
        if !self.is_about_sessions(request) || !request.uri().path().ends_with(FINISH) {
            return None;
        }
        let name = &self.gateway.cookies.machine;
        let machine = cookie_names::values(request.headers(), name).next()?;
        let machine = String::from_utf8(machine.to_vec()).ok()?;
        if !peers.knows(&machine) {
            return None;
        }
        peers.reach(&machine).await.ok()?;
        Some(machine)
    }

    /// The cookie that has the end of a ceremony, which begins at this path, come to this machine,
    /// whichever the browser finds; none where there is no other.
    pub(super) fn beginning(&self, path: &str) -> Option<HeaderValue> {
        let peers = self.peers.as_ref().filter(|_| path.ends_with(START))?;
        let names = &self.gateway.cookies;
        names.header(&names.machine, peers.machine(), LASTS).ok()
    }

    /// The workspace of another machine that a person is on the way to.
    fn place_elsewhere(&self, request: &Request<Incoming>) -> Option<Arc<Elsewhere>> {
        let to = query(request, "to")?;
        let host = to.parse::<Uri>().ok()?.host()?.to_owned();
        match self.gateway.routes.host(&host) {
            Host::Elsewhere(workspace, _) => Some(workspace),
            _ => None,
        }
    }

    /// The workspace of another machine that stands in the path, as `/api/<what>/<workspace>`.
    fn workspace_in_path(&self, request: &Request<Incoming>) -> Option<Arc<Elsewhere>> {
        let path = self.gateway.paths.own(request.uri().path())?;
        let name = path.split('/').nth(3)?;
        self.gateway.routes.elsewhere(name)
    }

    fn gone(&self, machine: &str, is_page: bool) -> Response<ResponseBody<Claim>> {
        let machine = machine.into();
        let error = HttpError::from(ClaimError::Elsewhere { machine });
        let account = [(&*self.gateway.account, "Account")];
        refusal_to(is_page, "Not there", error, &account).map(ResponseBody::Left)
    }
}
