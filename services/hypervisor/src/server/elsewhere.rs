//! Requests that the gateway of another machine serves: it has the sandboxes that they are for.

use super::destination::Destination;
use super::dispatch::Dispatch;
use super::entry::query;
use super::replies::{misdirected, refusal_to};
use crate::auth::{Bearer, Principal};
use crate::cookie_names;
use crate::error::HttpError;
use crate::peer::{Carried, Peer};
use crate::proxy::{self, ResponseBody};
use crate::request_context::RequestContext;
use crate::routes::{Claim, ClaimError, Elsewhere, Host};
use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::warn;

/// How the paths end at which a ceremony begins, and at which it ends.
const START: &str = "/start";
const FINISH: &str = "/finish";

/// By then a machine that has not heard of a change counts as gone.
const HEARD: Duration = Duration::from_secs(2);
const EACH: Duration = Duration::from_millis(5);

/// For how many seconds a browser knows where it began: longer than any ceremony lasts.
const LASTS: u64 = 3600;

impl Dispatch {
    /// Whether this machine knows as much of where a workspace is as the one that has carried a request
    /// for it here.
    pub(super) fn knows(&self, carried: &Carried) -> bool {
        let routes = &self.gateway.routes;
        routes.knows_epoch(&carried.workspace, carried.epoch)
    }

    /// Whether it does in time: the other one may be the first to know of a move.
    pub(super) async fn hears_of(&self, carried: &Carried) -> bool {
        let begun = Instant::now();
        while !self.knows(carried) && begun.elapsed() < HEARD {
            self.outliving(tokio::time::sleep(EACH)).await;
        }
        self.knows(carried)
    }

    /// The response of the machine that is the home of this workspace, or why there is none.
    pub(super) async fn at_home(
        &self,
        workspace: &Elsewhere,
        request: Request<Incoming>,
        bearer: Option<&Bearer>,
        peer: &Peer,
        context: &RequestContext,
    ) -> Response<ResponseBody<Claim>> {
        // One that another gateway has carried here goes on only if that did not know of the last move,
        // so that it comes to an end.
        let knew = peer.carried.as_deref();
        let knew = knew.filter(|carried| *carried.workspace == *workspace.name);
        if peer.is_gateway && knew.is_none_or(|carried| carried.epoch >= workspace.epoch) {
            return misdirected().map(ResponseBody::Left);
        }
        let carried = Carried {
            workspace: (&*workspace.name).into(),
            epoch: workspace.epoch,
        };
        let machine = &workspace.home;
        self.carry(machine, Some(carried), request, bearer, peer, context)
            .await
    }

    /// The response of another machine, or why there is none.
    pub(super) async fn carry(
        &self,
        machine: &str,
        carried: Option<Carried>,
        request: Request<Incoming>,
        bearer: Option<&Bearer>,
        peer: &Peer,
        context: &RequestContext,
    ) -> Response<ResponseBody<Claim>> {
        let is_page = proxy::is_navigation(request.method(), request.headers());
        let Some(peers) = &self.peers else {
            return self.gone(machine, is_page);
        };
        let (mut head, body) = request.into_parts();
        if let Some(bearer) = bearer {
            bearer.put_back(&mut head.headers);
        }
        proxy::rewrite_for_gateway(&mut head, peer, context);
        if let Some(carried) = carried {
            carried.insert_into(&mut head.headers);
        }
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

    /// The workspace whose home serves this request of a person at the gateway's host, if that is
    /// another machine: the one that it is for, or else the one that they are led to. Its home may be
    /// out of reach, and then they see what there is to see here.
    pub(super) async fn home_for(
        &self,
        request: &Request<Incoming>,
        destination: &Destination,
        principal: &Principal,
        peer: &Peer,
    ) -> Option<Arc<Elsewhere>> {
        let (peers, routes) = (self.peers.as_ref()?, &self.gateway.routes);
        if peer.is_gateway {
            // Whoever carried it here may not know yet that it has moved.
            let carried = peer.carried.as_deref()?;
            let workspace = routes.elsewhere(&carried.workspace)?;
            return (carried.epoch < workspace.epoch).then_some(workspace);
        }
        let named = match destination {
            Destination::Nothing => return None,
            Destination::Public if !self.is_about_sessions(request) => return None,
            Destination::Enter => self.place_elsewhere(request),
            Destination::Api => self.workspace_in_path(request),
            _ => None,
        };
        if let Some(workspace) = named {
            return Some(workspace);
        }
        let workspace = routes.led_elsewhere(principal.user().id)?;
        let is_for_sandbox = matches!(destination, Destination::Sandbox(_));
        if !is_for_sandbox {
            peers.reach(&workspace.home).await.ok()?;
        }
        Some(workspace)
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
