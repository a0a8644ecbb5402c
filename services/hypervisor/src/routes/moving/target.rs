//! The machine that a workspace goes to, as the one sees it that it comes from.

use crate::role::Role;
use crate::runtime::ReleaseContent;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::os::unix::net::UnixStream;

/// What the two sandboxes run: the one that is live first.
#[derive(Clone, Serialize, Deserialize)]
pub struct Offer {
    /// None where none is noted.
    pub releases: [Option<ReleaseContent>; 2],
}

/// The same by the numbers that the other machine has for it; 0 where none is noted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct OfferedReleases {
    /// Live's first.
    pub releases: [u64; 2],
}

/// That all data are there.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Arrival {
    /// What live and dev run, by the target's numbers.
    pub releases: [u64; 2],
    /// Whether live is to run; it does not if a person has stopped it.
    pub starts: bool,
}

/// Has another machine do its part. What goes wrong is told in a sentence.
#[async_trait]
pub trait Target: Send + Sync {
    /// What the machine is called.
    fn machine(&self) -> &str;

    /// Finds what the sandboxes run among its releases.
    async fn offer(&self, workspace: &str, offer: &Offer) -> Result<OfferedReleases, String>;

    /// Opens a stream to whoever receives the volume of the sandbox that was born in this role.
    async fn stream(&self, workspace: &str, born: Role) -> Result<UnixStream, String>;

    /// Has the received data be the sandboxes', and live started.
    async fn arrive(&self, workspace: &str, arrival: &Arrival) -> Result<(), String>;
}
