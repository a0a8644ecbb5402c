//! What runs the sandboxes. Nothing outside this module knows whether one is a process, a
//! container or a microVM.

use crate::routes::Role;
use serde::Serialize;
use std::net::SocketAddr;

/// What a sandbox is, whatever runs it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Its name, such as `sandbox-live`; it never changes, whichever role the sandbox has.
    pub name: String,
    /// The workspace that it belongs to.
    pub workspace: String,
    /// The role that it was born with; `/health` must say the same.
    pub instance_role: Role,
    /// Where it listens, if the config says so.
    pub address: Option<SocketAddr>,
    /// Its port on 127.0.0.1, if the config says so.
    pub port: Option<u16>,
    /// The path that answers 200 when it is healthy.
    pub health_path: String,
    /// Whether `/health` must name the sandbox and its instance role.
    pub identity: bool,
}

/// How a sandbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not running; the next request starts it.
    Stopped,
    /// Started, not healthy yet.
    Starting,
    /// Healthy.
    Running,
    /// Running, and still finishing claims of a role that it lost.
    Draining,
    /// Not to be had; the cause is beside it.
    Failed,
}
