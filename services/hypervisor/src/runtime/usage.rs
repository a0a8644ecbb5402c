//! What sandboxes use: of the machine while they run, and of the disk.

use super::backend::Backend;
use super::consumption::Consumption;
use super::disk::Look;
use super::state::SandboxState;
use super::supervision::Supervision;
use super::{Runtime, Sandbox, Status};
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tracing::debug;
use utoipa::ToSchema;

/// How long those who look wait for it. It goes on without them, and is told the next time.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a sandbox uses. What is not known is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Usage {
    /// What runs of it.
    #[serde(flatten)]
    pub consumption: Consumption,
    /// Bytes that its volume takes.
    pub disk_bytes: Option<u64>,
    /// How many it may.
    pub disk_max_bytes: Option<u64>,
    /// Files and folders in its volume.
    pub files: Option<u64>,
    /// How many there may be.
    pub files_max: Option<u64>,
    /// When the disk was looked at; all else is of this moment.
    pub at: Option<Timestamp>,
}

impl Runtime {
    /// What each of them uses. Only those that run are looked at, all at once, and no disk is: how
    /// much their volumes take is told as it was seen last.
    pub async fn usage(&self, sandboxes: &[Arc<Sandbox>]) -> Vec<Option<Usage>> {
        let Supervision::Supervise(backend) = &*self.supervision else {
            return vec![None; sandboxes.len()];
        };
        let runs = |sandbox: &Sandbox| {
            let runs = !matches!(sandbox.view().status, Status::Stopped | Status::Failed);
            runs.then(|| sandbox.name().to_owned())
        };
        let names: Vec<_> = sandboxes.iter().map(|sandbox| runs(sandbox)).collect();
        let of_all = consumption(backend, names).await;
        let both = sandboxes.iter().zip(of_all);
        both.map(|(sandbox, consumption)| Usage::of(sandbox, consumption))
            .collect()
    }

    /// The same of one, whose disk is looked at, too, unless that was done within the last minute.
    pub async fn usage_of(&self, sandbox: &Arc<Sandbox>) -> Option<Usage> {
        if let Supervision::Supervise(backend) = &*self.supervision
            && !sandbox.state().disk.is_fresh()
        {
            let look = look(Arc::clone(sandbox.state()), Arc::clone(backend));
            // It comes to its end all the same.
            let _ = timeout(PATIENCE, tokio::spawn(look)).await;
        }
        let all = self.usage(std::slice::from_ref(sandbox)).await;
        all.into_iter().next().flatten()
    }
}

impl Usage {
    fn of(sandbox: &Sandbox, consumption: Option<Consumption>) -> Option<Self> {
        let seen = sandbox.state().disk.seen();
        if consumption.is_none() && seen.is_none() {
            return None;
        }
        let (at, disk) = seen.unzip();
        let disk = disk.unwrap_or_default();
        Some(Self {
            consumption: consumption.unwrap_or_default(),
            disk_bytes: disk.bytes,
            disk_max_bytes: disk.max_bytes,
            files: disk.files,
            files_max: disk.max_files,
            at,
        })
    }
}

/// Of those that have a name.
async fn consumption(
    backend: &Arc<dyn Backend>,
    names: Vec<Option<String>>,
) -> Vec<Option<Consumption>> {
    let count = names.len();
    if names.iter().all(Option::is_none) {
        return vec![None; count];
    }
    let backend = Arc::clone(backend);
    let look = move || {
        let running: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
        let mut seen = backend.consumption(&running).into_iter();
        let of_each = names
            .iter()
            .map(|name| name.as_ref().and_then(|_| seen.next()));
        of_each.collect()
    };
    let all = tokio::task::spawn_blocking(look).await;
    all.unwrap_or_else(|_| vec![None; count])
}

async fn look(state: Arc<SandboxState>, backend: Arc<dyn Backend>) {
    let disk = &state.disk;
    let _turn = disk.turn.lock().await;
    if disk.is_fresh() {
        return;
    }
    let asked = Instant::now();
    let seen = match backend.volumes().usage(&state.spec).await {
        Ok(usage) => Some((Timestamp::now(), usage)),
        Err(error) => {
            debug!(sandbox = state.spec.name, %error, "cannot see what its volume takes");
            disk.seen()
        }
    };
    disk.note(Look { asked, seen });
}
