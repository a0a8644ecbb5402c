//! Whom a connection's loop asks about its plain requests.

use super::general::Handover;
use super::head::Head;
use super::stream::Source;
use crate::config;
use crate::proxy::{Caller, Proxy, RoutedClaim};
use crate::routes::ClaimError;
use http::StatusCode;
use tokio::task::JoinHandle;

/// What a [`super::Lane`] does not know itself. A test of the proxy has one without sessions.
pub trait Desk: Send + Sync + 'static {
    /// A hold on a sandbox.
    type Claim: RoutedClaim;

    /// What carries the requests.
    fn proxy(&self) -> &Proxy;
    /// What a connection may cost.
    fn config(&self) -> &config::Server;
    /// Whether this peer's forwarding headers count.
    fn trusts(&self, peer: &Source) -> bool;
    /// What is to be done about a plain request.
    fn errand(&self, head: &Head<'_>) -> Errand<Self::Claim>;
    /// Whether each answer from now on is the last of its connection.
    fn stopping(&self) -> bool;
    /// Counts an answer.
    fn count_response(&self, status: StatusCode);
    /// Goes on with a connection that is not plain.
    fn take(&self, connection: Handover);
}

/// What is to be done about a plain request.
pub enum Errand<C> {
    /// Hyper is to have it: it is not for a sandbox, or there is more to be said.
    General,
    /// Whose it is has to be looked up first. Then, unless that was in vain, it is asked about once
    /// more.
    Recall(JoinHandle<bool>),
    /// Its sandbox is at hand.
    Go(Caller, C),
    /// Its sandbox has to be waited for, by a task that outlives the connection.
    Wait(Caller, JoinHandle<Result<C, ClaimError>>),
    /// There is no sandbox for it.
    Refuse(ClaimError),
}
