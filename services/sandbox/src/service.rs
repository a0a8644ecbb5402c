//! What every request may need.

use crate::accent::Accent;
use crate::config::Role;
use crate::data::{DataDir, LogIdentity};
use crate::log::EventLog;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who this sandbox is, whatever role it has at the moment.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Identity {
    /// The sandbox's name.
    pub name: String,
    /// The role that it was born with.
    pub instance_role: Role,
    /// The machine's name.
    pub hostname: String,
    /// This program's version.
    pub version: &'static str,
    /// The release that it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<u64>,
}

/// What every request may need.
#[derive(Debug)]
pub(crate) struct Service {
    /// Who this sandbox is.
    pub identity: Identity,
    /// The colour of its page's band.
    pub accent: Option<Accent>,
    /// Its folder.
    pub data: DataDir,
    /// Its events.
    pub log: EventLog,
    /// The file of its events.
    pub log_identity: LogIdentity,
    /// Ends streams and sockets, which would go on for ever.
    pub shutdown: CancellationToken,
    /// The sockets, which outlive their requests.
    pub sockets: TaskTracker,
}
