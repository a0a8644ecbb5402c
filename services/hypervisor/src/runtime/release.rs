//! What a sandbox runs: one of its workspace's numbered releases.

use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// All that a release is but its number, so that another machine can have the same. The environment
/// may have secrets, so there is no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseContent {
    /// A command line.
    Command {
        /// Program and arguments; none for the `sandbox` beside the hypervisor.
        command: Vec<String>,
        /// What the process gets beside what every sandbox does.
        env: BTreeMap<String, String>,
        /// Whether the configuration named it.
        declared: bool,
    },
    /// A system's closure, by its path.
    System(String),
}
