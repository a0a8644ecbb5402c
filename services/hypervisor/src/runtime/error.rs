//! Why a sandbox is not to be had.

use crate::timestamp::Timestamp;
use std::time::Duration;
use volumes::VolumeError;

/// Why a sandbox is not to be had, in sentences that end up on a 502 or 503 page.
#[derive(Debug, Clone, thiserror::Error)]
#[expect(missing_docs, reason = "a field is told by its name")]
pub enum RuntimeError {
    /// The configured backend cannot work on this machine.
    #[error("{0}")]
    Unusable(String),
    /// It crashed too often in a row, or never became healthy.
    #[error(
        "sandbox `{sandbox}` does not stay up: {cause}\nMend that; a request tries again in {} s, and a start by hand at once",
        retry.as_secs_f32().ceil()
    )]
    Failed {
        sandbox: String,
        /// How it ended the last time, with the last lines that it wrote.
        cause: String,
        /// How long requests get this answer without another try.
        retry: Duration,
    },
    /// The host's seal around the sandboxes is broken.
    #[error("sandbox `{sandbox}` is not started: {cause}")]
    Unsealed { sandbox: String, cause: String },
    /// Something else runs it, and the address does not answer as it should.
    #[error(
        "sandbox `{sandbox}` is not to be had: {cause}. It is run by something else (runtime.kind is `adopt`): mend it there, and it is taken back as soon as it answers"
    )]
    Lost { sandbox: String, cause: String },
    /// It is still starting.
    #[error(
        "sandbox `{sandbox}` is still starting: {cause}\nTry again soon, or raise runtime.start_secs if it always needs longer"
    )]
    TimedOut {
        sandbox: String,
        /// What is known of the hindrance, with the last lines that it wrote.
        cause: String,
    },
    /// Someone stopped it while this caller waited for its start.
    #[error(
        "sandbox `{sandbox}` was stopped while it started; start it again if that was not meant"
    )]
    Stopped { sandbox: String },
    /// Its release or its volume is being changed.
    #[error("sandbox `{sandbox}` is being changed; try again in a moment")]
    Reserved { sandbox: String },
    /// A person stopped it, and nobody has started it since.
    #[error(
        "sandbox `{sandbox}` was stopped by {by} at {at}, and no request starts it; start it on the account page, or with `hypervisor sandboxes start {workspace} <role>`"
    )]
    StoppedByHand {
        sandbox: String,
        workspace: String,
        by: String,
        at: Timestamp,
    },
    /// It cannot be stopped from here.
    #[error("sandbox `{sandbox}` cannot be stopped: {cause}")]
    CannotStop { sandbox: String, cause: String },
    /// What was asked for is not to be had with this kind of runtime, or with its settings.
    #[error("{0}")]
    Unsupported(String),
    /// The workspace has no such release.
    #[error(
        "workspace {workspace} has no release {number}; `hypervisor releases {workspace}` lists those that it has"
    )]
    NoRelease { workspace: String, number: u64 },
    /// What was to be a release could not run.
    #[error("{0}")]
    InvalidRelease(String),
    /// The releases cannot be read, or none can be added.
    #[error("the releases of workspace {workspace} are not to be had: {cause}")]
    Releases { workspace: String, cause: String },
    /// The sandbox has no such snapshot.
    #[error("{0}")]
    NoSnapshot(String),
    /// The disk has no room for a copy of the volume.
    #[error("{0}")]
    NoRoom(String),
    /// Something else stands in the way of a copy of the volume, or of its replacement.
    #[error("{0}")]
    Volume(String),
    /// What the sandbox wrote cannot be read.
    #[error("the log of sandbox `{sandbox}` is not to be had: {cause}")]
    NoLog { sandbox: String, cause: String },
    /// The hypervisor is ending.
    #[error(
        "sandbox `{sandbox}` is not to be had: the hypervisor is shutting down; try again in a moment"
    )]
    ShuttingDown { sandbox: String },
}

impl From<VolumeError> for RuntimeError {
    fn from(error: VolumeError) -> Self {
        Self::of_volume(error.code(), error.to_string())
    }
}

impl RuntimeError {
    /// A [`VolumeError`], as it is told elsewhere than in this program.
    pub(super) fn of_volume(code: &str, said: String) -> Self {
        match code {
            "no_snapshot" => Self::NoSnapshot(said),
            "no_room" => Self::NoRoom(said),
            _ => Self::Volume(said),
        }
    }
}
