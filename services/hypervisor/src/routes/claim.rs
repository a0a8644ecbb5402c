//! A request's hold on the sandbox that it was routed to.

use super::error::ClaimError;
use super::held::Held;
use super::route::{Route, Workspace};
use super::table::Routes;
use crate::concurrency_limit::{ConcurrencyLimit, Permit, Scope};
use crate::role::Role;
use crate::runtime::{Hold, Sandbox};
use crate::store::StoreError;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// A request's hold on a sandbox, from routing to its last byte.
///
/// While it lives, neither a drain nor an idle stop ends.
pub struct Claim {
    // The order counts: the sandbox is let go before the route, so that an ended drain means
    // that the sandbox is no longer in use by it.
    hold: Hold,
    route: RouteGuard,
    _permits: Permits,
}

/// What a request takes of the limits: its user's, the gateway's and its sandbox's.
type Permits = [Permit; 3];

/// An entered gate of a route.
struct RouteGuard(Arc<Route>);

impl Drop for RouteGuard {
    fn drop(&mut self) {
        self.0.gate.leave();
    }
}

/// What a request without an error comes to.
enum Attempt {
    /// It has its sandbox.
    Claimed(Claim),
    /// It has its permits, but the sandbox does not run.
    Waits(Permits, Arc<Route>),
    /// It has its permits, but what it comes for is being changed.
    Held(Permits, Arc<Held>, Arc<Sandbox>),
}

impl Routes {
    /// Claims the sandbox of `role` of this workspace without waiting and without a lock on anything
    /// that changes, for a `user` whom its access lets in, or for nobody in particular; `None` means
    /// that only [`Routes::claim`] can have it.
    ///
    /// # Errors
    /// [`ClaimError::Busy`].
    pub fn try_claim(
        &self,
        workspace: &Workspace,
        role: Role,
        user: Option<Uuid>,
    ) -> Result<Option<Claim>, ClaimError> {
        Ok(match self.attempt(workspace, role, user)? {
            Attempt::Claimed(claim) => Some(claim),
            Attempt::Waits(..) | Attempt::Held(..) => None,
        })
    }

    /// Claims it in the same way, starting it if need be. Who waits for it has a permit already, so
    /// that no more wait than could be served.
    ///
    /// # Errors
    /// Why there is no sandbox for this request.
    pub async fn claim(
        &self,
        workspace: &Workspace,
        role: Role,
        user: Option<Uuid>,
    ) -> Result<Claim, ClaimError> {
        loop {
            match self.attempt(workspace, role, user)? {
                Attempt::Claimed(claim) => return Ok(claim),
                Attempt::Waits(_permits, route) => ready(&route).await?,
                Attempt::Held(_permits, _, sandbox) if workspace.gone.is_cancelled() => {
                    if let Some(workspace) = self.moved(workspace) {
                        return Err(ClaimError::Moved { workspace });
                    }
                    let sandbox = sandbox.name().to_owned();
                    return Err(ClaimError::Held { sandbox });
                }
                Attempt::Held(_permits, held, sandbox) => {
                    self.held(&held, sandbox.name()).await?;
                }
            }
        }
    }

    fn attempt(
        &self,
        workspace: &Workspace,
        role: Role,
        user: Option<Uuid>,
    ) -> Result<Attempt, ClaimError> {
        if !self.store.is_current() {
            // Another machine may be its home by now.
            return Err(StoreError::Lapsed.into());
        }
        let member = user.and_then(|user| self.by_user.get(&user));
        let limit = match &member {
            Some(member) => (Scope::User, &member.concurrency_limit),
            None => (Scope::Visitors, workspace.visitors(role)),
        };
        self.enter(workspace, limit, role)
    }

    fn enter(
        &self,
        workspace: &Workspace,
        (scope, limit): (Scope, &ConcurrencyLimit),
        role: Role,
    ) -> Result<Attempt, ClaimError> {
        let permit = |scope, limit| {
            let permit = self.rejections.permit(scope, limit);
            permit.map_err(|full| ClaimError::Busy {
                sandbox: workspace.sandbox(role).name().to_owned(),
                full,
            })
        };
        let user = permit(scope, limit)?;
        let server = permit(Scope::Server, &self.concurrency_limit)?;
        let route = match workspace.enter(role) {
            Ok(route) => route,
            Err((route, held)) => {
                let sandbox = permit(Scope::Sandbox, &route.concurrency_limit)?;
                let permits = [user, server, sandbox];
                return Ok(Attempt::Held(permits, held, route.sandbox.clone()));
            }
        };
        let sandbox = permit(Scope::Sandbox, &route.0.concurrency_limit)?;
        let permits = [user, server, sandbox];
        Ok(match route.0.sandbox.enter() {
            Some(hold) => {
                workspace.request_count(role).add();
                Attempt::Claimed(Claim {
                    hold,
                    route,
                    _permits: permits,
                })
            }
            None => Attempt::Waits(permits, route.0.clone()),
        })
    }
}

async fn ready(route: &Route) -> Result<(), ClaimError> {
    match route.sandbox.ready().await {
        // Changed meanwhile: there is another route, or one on which requests are held.
        Err(_) if route.gate.is_closed() => Ok(()),
        ready => ready.map_err(|cause| ClaimError::Sandbox {
            sandbox: route.sandbox.name().to_owned(),
            cause,
        }),
    }
}

impl Workspace {
    fn sandbox(&self, role: Role) -> Arc<Sandbox> {
        self.pair.load().route(role).sandbox.clone()
    }

    /// The route of this role, unless requests to it are held.
    fn enter(&self, role: Role) -> Result<RouteGuard, (Arc<Route>, Arc<Held>)> {
        loop {
            let route = self.pair.load().route(role).clone();
            if route.gate.enter() {
                return Ok(RouteGuard(route));
            }
            if let Some(held) = route.held.clone() {
                return Err((route, held));
            }
            // Closed by a change, which has published the next route before.
        }
    }
}

impl Claim {
    /// The route that was claimed.
    pub fn route(&self) -> &Route {
        &self.route.0
    }

    /// Notes that the request may write.
    pub fn count_write(&self) {
        if let Some(writes) = &self.route.0.writes {
            writes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Where its sandbox listens.
    pub fn address(&self) -> SocketAddr {
        self.hold.address()
    }
}
