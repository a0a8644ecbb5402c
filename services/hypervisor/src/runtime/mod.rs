//! What runs the sandboxes. Nothing outside this module knows whether one is a process, a
//! container or a microVM.
//!
//! Each sandbox has one supervisor task, which alone changes its `SandboxState`; everyone
//! else has a [`Sandbox`], a handle that reads the state and sends the supervisor commands. Where
//! nothing runs without a command, the first one begins the task: one at rest is no more than its state.
//! A `Supervisor` drives whatever a `Backend` can start and stop (`process`, `systemd`); with
//! `adopt`, a single task watches all that something else runs.

mod adopt;
mod archives;
mod backend;
mod cold_starts;
mod commands;
mod consumption;
mod disk;
mod error;
pub mod guardian;
mod health;
mod line;
mod log;
mod probe;
mod process;
mod release;
mod releases;
mod run;
mod sandbox;
mod seal;
mod spec;
mod state;
mod supervision;
mod supervisor;
mod systemd;
mod usage;
mod volumes;

pub use ::volumes::{
    Archived, Backup, Reason, Received, SendPass, Sent, Snapshot, SnapshotId, VolumeError,
};
pub use consumption::Consumption;
pub use error::RuntimeError;
pub use line::{LogLines, MOST_LOG_LINES};
pub use probe::ProbeError;
pub use release::{Release, ReleaseContent};
pub use run::Hold;
pub use sandbox::{DrainGuard, Sandbox, View};
pub use seal::Seal;
pub use spec::{Spec, Status, StoppedBy};
pub use usage::Usage;

use crate::config::{self, RuntimeKind};
use crate::metrics::Totals;
use backend::Backend;
use cold_starts::ColdStarts;
use dashmap::DashMap;
use futures_util::future::join_all;
use state::SandboxState;
use std::path::Path;
use std::sync::Arc;
use supervision::Supervision;

/// All sandboxes of this hypervisor, and the backend that runs them.
pub struct Runtime {
    config: Arc<config::Runtime>,
    supervision: Arc<Supervision>,
    seal: Arc<Seal>,
    sandboxes: DashMap<String, Arc<Sandbox>>,
    cold_starts: Arc<ColdStarts>,
}

impl Runtime {
    /// The runtime that the config asks for, run by this very program. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`RuntimeError::Unusable`] if the backend cannot work here, such as for want of the
    /// `sandbox` program.
    pub fn open(config: &config::Config) -> Result<Arc<Self>, RuntimeError> {
        let program = std::env::current_exe().map_err(|error| {
            RuntimeError::Unusable(format!("this program cannot find its own file: {error}"))
        })?;
        Self::open_with(config, &program)
    }

    /// The same with `program` as the hypervisor's file: it guards each child process, and the
    /// default sandbox is the `sandbox` beside it. For whoever embeds the runtime elsewhere.
    ///
    /// # Errors
    /// As [`Runtime::open`].
    pub fn open_with(config: &config::Config, program: &Path) -> Result<Arc<Self>, RuntimeError> {
        let slots = &config.slots;
        let config = Arc::new(config.runtime.clone());
        let backend: Option<Arc<dyn Backend>> = match config.kind {
            RuntimeKind::Adopt => None,
            RuntimeKind::Process => Some(Arc::new(process::ProcessBackend::new(&config, program)?)),
            RuntimeKind::Systemd => Some(Arc::new(systemd::Systemd::new(&config, slots))),
        };
        Ok(Self::over(config, backend))
    }

    /// Nothing starts and stops sandboxes without a backend.
    fn over(config: Arc<config::Runtime>, backend: Option<Arc<dyn Backend>>) -> Arc<Self> {
        Arc::new(Self {
            supervision: Arc::new(Supervision::new(backend)),
            seal: Seal::open(config.seal_file.clone()),
            config,
            sandboxes: DashMap::new(),
            cold_starts: Arc::default(),
        })
    }

    /// The seal around the sandboxes.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// How long starts took that a request waited for.
    pub fn cold_starts(&self) -> Totals {
        self.cold_starts.totals()
    }

    /// Whether sandboxes can be made for a new user's workspace, or only those of the config
    /// exist.
    pub fn can_create(&self) -> bool {
        self.config.kind == RuntimeKind::Process
    }

    /// The sandbox of this name, registered by the first call, whose spec it keeps. It is
    /// called running once a probe said so. Needs a Tokio runtime.
    pub fn sandbox(&self, spec: Spec) -> Arc<Sandbox> {
        let entry = self.sandboxes.entry(spec.name.clone());
        Arc::clone(&entry.or_insert_with(|| self.register(spec)))
    }

    fn register(&self, spec: Spec) -> Arc<Sandbox> {
        let mut state = SandboxState::new(spec, Arc::clone(&self.config), Arc::clone(&self.seal));
        state.cold_starts = Arc::clone(&self.cold_starts);
        Arc::new(Sandbox::new(state, Arc::clone(&self.supervision)))
    }

    /// Stops all sandboxes at once, within twice `runtime.stop_secs`. Requests that still hold
    /// one are cut, so wait for them first. Adopted sandboxes and systemd's run on.
    pub async fn shutdown(&self) {
        let all: Vec<_> = self
            .sandboxes
            .iter()
            .map(|entry| Arc::clone(&entry))
            .collect();
        join_all(all.iter().map(|sandbox| sandbox.end())).await;
    }
}
