//! A claim of a route, as the proxy sees it.

use crate::proxy::RoutedClaim;
use crate::role::Role;
use crate::routes::Claim;
use http::{Request, header};
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

impl RoutedClaim for Claim {
    fn address(&self) -> SocketAddr {
        self.address()
    }

    fn route_id(&self) -> u64 {
        self.route().id
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

    fn validator_mark(&self) -> &str {
        &self.route().validator_mark
    }

    fn drain_deadline(&self) -> &CancellationToken {
        &self.route().drain_deadline
    }
}

/// Notes a request that may write: all but those that HTTP calls safe, and every tunnel.
pub(super) fn count_write<B>(request: &Request<B>, claim: &Claim) {
    if !request.method().is_safe() || request.headers().contains_key(header::UPGRADE) {
        claim.count_write();
    }
}
