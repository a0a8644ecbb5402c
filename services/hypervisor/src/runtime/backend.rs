//! What a backend must be able to do, so that a supervisor can keep its sandboxes up.

use super::Spec;
use async_trait::async_trait;
use std::net::SocketAddr;

/// Something that starts sandboxes: child processes, or a manager of units or containers.
#[async_trait]
pub(super) trait Backend: Send + Sync {
    /// Has the sandbox started, and resolves as soon as its address is known: whether it is
    /// healthy there is for the supervisor to probe. Bounded by the backend. One that a manager
    /// already runs is simply that unit.
    ///
    /// # Errors
    /// A sentence, without the sandbox's name.
    async fn start(&self, spec: &Spec) -> Result<Box<dyn Unit>, String>;
}

/// A sandbox that was started and not yet stopped.
#[async_trait]
pub(super) trait Unit: Send {
    /// Where it will listen.
    fn address(&self) -> SocketAddr;

    /// Resolves when it ended without being asked to, with how: a child's exit, or a manager's
    /// report of a state change. May be dropped and called again.
    async fn ended(&mut self) -> String;

    /// The last lines that it wrote, oldest first; whole once it has ended.
    fn last_lines(&self) -> Vec<String>;

    /// Has it ended, with everything that it started: asked first, forced after
    /// `runtime.stop_secs`.
    ///
    /// # Errors
    /// A sentence if it is still there.
    async fn stop(&mut self) -> Result<(), String>;
}
