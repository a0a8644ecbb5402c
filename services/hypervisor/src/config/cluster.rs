//! `[cluster]`: several machines with one store.

use super::{Config, address};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Several machines with one store at `store.url`, each with a gateway and sandboxes of its own. Each
/// workspace has one of them for its home.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// What this machine is called among them. Without it, there is but one.
    pub machine: Option<String>,
    /// The address and the port at which the gateways of the other machines reach this one.
    #[serde(deserialize_with = "address::some_listener")]
    pub address: Option<SocketAddr>,
    /// Where the other machines are, as `host:port` by their names.
    pub peers: BTreeMap<String, String>,
    /// This machine's certificate and those of its issuers, as a PEM file. Its subject's alternative
    /// name is the URI `spiffe://<your domain>/machine/<machine>`, in a domain that all have.
    pub cert: Option<PathBuf>,
    /// The key of `cert`, as a PEM file.
    pub key: Option<PathBuf>,
    /// The root that issues the machines' certificates and nothing else, as a PEM file.
    pub ca: Option<PathBuf>,
}

impl Config {
    /// What this machine is called; nothing if it is the only one.
    pub fn machine(&self) -> &str {
        self.cluster.machine.as_deref().unwrap_or_default()
    }
}
