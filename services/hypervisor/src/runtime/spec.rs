//! What a sandbox is, and how one can be.

use crate::config;
use crate::role::Role;
use crate::sandbox_name;
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::fmt;

/// What a sandbox is, whatever runs it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Its name, such as `sandbox-live`; it never changes, whichever role the sandbox has.
    pub name: String,
    /// The workspace that it belongs to.
    pub workspace: String,
    /// The slot of the host that it is of, if its workspace is not a declared one.
    pub slot: Option<u32>,
    /// The role that it was born with; `/health` must say the same.
    pub instance_role: Role,
    /// Where it listens, and what it answers when it is healthy.
    pub declared: config::Sandbox,
}

impl Spec {
    /// Whose releases it can run: its workspace's, or those of all slots.
    pub(super) fn release_set(&self) -> &str {
        sandbox_name::release_set(&self.workspace, self.slot)
    }
}

/// That a person stopped a sandbox: until somebody starts it, no request does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoppedBy {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How a sandbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not running; the next request starts it.
    Stopped,
    /// Started (again), not healthy yet.
    Starting,
    /// Healthy.
    Running,
    /// Still finishing the requests that hold it: it lost a role, or is being stopped.
    Draining,
    /// Not to be had; the cause is beside it.
    Failed,
}

impl Status {
    /// Every status, in the order of a sandbox's life.
    pub const ALL: [Self; 5] = [
        Self::Stopped,
        Self::Starting,
        Self::Running,
        Self::Draining,
        Self::Failed,
    ];
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Failed => "failed",
        })
    }
}
