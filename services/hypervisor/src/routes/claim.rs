//! A request's hold on the sandbox that it was routed to.

use super::error::ClaimError;
use super::route::{Role, Route, Workspace};
use crate::proxy;
use crate::runtime::Hold;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A request's hold on a sandbox, from routing to its last byte.
///
/// While it lives, neither a drain nor an idle stop ends.
pub struct Claim {
    // The order counts: the sandbox is let go before the route, so that an ended drain means
    // that the sandbox is no longer in use by it.
    hold: Hold,
    route: Pass,
}

/// An entered gate of a route.
struct Pass(Arc<Route>);

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.gate.leave();
    }
}

impl Workspace {
    /// A claim on the sandbox of `role`, if it runs; takes no lock and waits for nothing.
    pub fn try_claim(&self, role: Role) -> Option<Claim> {
        loop {
            let route = self.pair.load().route(role).clone();
            if !route.gate.enter() {
                // Closed by a swap, which has published the next generation before.
                continue;
            }
            let route = Pass(route);
            let hold = route.0.sandbox.enter()?;
            return Some(Claim { hold, route });
        }
    }

    /// Claims the sandbox of `role`, starting it if need be.
    ///
    /// # Errors
    /// When the sandbox cannot be had; the error says why and what to do.
    pub async fn claim(&self, role: Role) -> Result<Claim, ClaimError> {
        loop {
            if let Some(claim) = self.try_claim(role) {
                return Ok(claim);
            }
            // A request that still waits for a sandbox is not yet routed: after a swap it
            // goes where the new generation says.
            let sandbox = self.pair.load().route(role).sandbox.clone();
            sandbox.ready().await.map_err(|cause| ClaimError::Sandbox {
                sandbox: sandbox.name().to_owned(),
                cause,
            })?;
        }
    }
}

impl Claim {
    /// The route that was claimed.
    pub fn route(&self) -> &Route {
        &self.route.0
    }
}

impl proxy::Target for Claim {
    fn address(&self) -> SocketAddr {
        self.hold.address()
    }

    fn upstream(&self) -> &proxy::Upstream {
        &self.route().upstream
    }

    fn workspace(&self) -> &str {
        &self.route().workspace
    }

    fn role(&self) -> Role {
        self.route().role
    }

    fn generation(&self) -> u64 {
        self.route().generation
    }

    fn sandbox(&self) -> &str {
        self.route().sandbox.name()
    }

    fn cut(&self) -> &CancellationToken {
        &self.route().cut
    }
}
