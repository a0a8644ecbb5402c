//! `[cluster]`: several machines with one store.

use super::Config;
use serde::Deserialize;

/// Several machines with one store at `store.url`, each with a gateway and sandboxes of its own. Each
/// workspace has one of them for its home.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// What this machine is called among them. Without it, there is but one.
    pub machine: Option<String>,
}

impl Config {
    /// What this machine is called; nothing if it is the only one.
    pub fn machine(&self) -> &str {
        self.cluster.machine.as_deref().unwrap_or_default()
    }
}
