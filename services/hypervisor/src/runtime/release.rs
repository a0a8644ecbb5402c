//! What a sandbox runs: one of its workspace's numbered releases.

use crate::timestamp::Timestamp;
use serde::Serialize;

/// A release of a workspace. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Its number in the workspace, from 1 on.
    pub number: u64,
    /// What runs: a command line, or a system's closure.
    pub what: String,
    /// Since when there is this release, where that is known.
    pub added_at: Option<Timestamp>,
    /// Who added it.
    pub added_by: String,
}
