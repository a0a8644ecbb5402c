//! What a backend must be able to do, so that a supervisor can keep its sandboxes up.

use super::consumption::Consumption;
use super::line::LogLines;
use super::{Release, ReleaseContent, RuntimeError, Spec};
use crate::config::Address;
use ::volumes::{Archived, Backup, Reason, Received, SendPass, Sent, Snapshot, SnapshotId, Usage};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Something that starts sandboxes: child processes, or a manager of units or containers.
#[async_trait]
pub(super) trait Backend: Send + Sync {
    /// Has the sandbox started with this release (0: the newest), and resolves as soon as its
    /// address is known: whether it is healthy there is for the supervisor to probe. Bounded by
    /// the backend. One that a manager already runs is simply that unit.
    ///
    /// # Errors
    /// A sentence, without the sandbox's name.
    async fn start(&self, spec: &Spec, release: u64) -> Result<Box<dyn Instance>, String>;

    /// The releases of a workspace, oldest first.
    async fn releases(&self, workspace: &str) -> Result<Vec<Release>, RuntimeError>;

    /// A new release, unless it is the same as the newest.
    async fn add_release(
        &self,
        workspace: &str,
        command: Vec<String>,
        env: BTreeMap<String, String>,
        by: &str,
    ) -> Result<Release, RuntimeError>;

    /// The release that the config or the deployment declares; 0 where none are kept.
    async fn declared_release(&self, workspace: &str) -> Result<u64, RuntimeError>;

    /// What a release is.
    async fn release_content(
        &self,
        workspace: &str,
        number: u64,
    ) -> Result<ReleaseContent, RuntimeError>;

    /// The number of the release that is just this. Where releases are made here, it is made.
    async fn release_of(
        &self,
        workspace: &str,
        content: ReleaseContent,
        by: &str,
    ) -> Result<u64, RuntimeError>;

    /// The release that a manager would start the sandbox with by itself.
    async fn pinned_release(&self, _spec: &Spec) -> Result<Option<u64>, RuntimeError> {
        Ok(None)
    }

    /// Forgets what it remembers of a sandbox, whose name another may have from now on.
    fn forget(&self, spec: &Spec);

    /// The volumes of its sandboxes.
    fn volumes(&self) -> Arc<dyn Volumes>;

    /// What those of these sandboxes use that run, in their order. Reads files of the kernel's, and
    /// so blocks for a moment.
    fn consumption(&self, sandboxes: &[&str]) -> Vec<Consumption>;

    /// The last lines that a sandbox wrote, and with `follow` those to come.
    async fn log(
        &self,
        sandbox: &str,
        lines: usize,
        follow: bool,
    ) -> Result<LogLines, RuntimeError>;

    /// Resolves when it finds the sandbox started by something else, now or in time; a start
    /// then takes it over.
    async fn appeared(&self, _spec: &Spec) {
        std::future::pending::<()>().await;
    }

    /// Has it not run, if something else runs it or did before this program began.
    ///
    /// # Errors
    /// A sentence if it may still be there.
    async fn halt(&self, _spec: &Spec) -> Result<(), String> {
        Ok(())
    }

    /// Whether sandboxes live on when the hypervisor ends, for the next one to take over.
    fn survives_restart(&self) -> bool {
        false
    }
}

/// Whoever has it keeps the sandbox from being started.
pub(super) type StartLock = Mutex<()>;

/// What copies and replaces the volumes of a backend's sandboxes.
#[async_trait]
pub(super) trait Volumes: Send + Sync {
    /// The first pass of a snapshot.
    async fn prepare(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError>;

    /// The whole snapshot. `starts` is taken for as long as what runs is held still.
    async fn snapshot(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        reason: Reason,
        starts: Arc<StartLock>,
    ) -> Result<Snapshot, RuntimeError>;

    /// A copy of that snapshot of `from` in the place of the volume, which nobody uses; what was
    /// there becomes the snapshot `aside`.
    async fn replace(
        &self,
        spec: &Spec,
        from: &Spec,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError>;

    /// One of the volume's own snapshots in its place, without a copy; as for the rest, as
    /// [`Volumes::replace`].
    async fn put_back(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError>;

    /// The snapshots, oldest first.
    async fn list(&self, spec: &Spec) -> Result<Vec<Snapshot>, RuntimeError>;

    /// Removes a snapshot.
    async fn remove(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError>;

    /// Removes those that no rule keeps and that are not held; says which.
    async fn prune(
        &self,
        spec: &Spec,
        held: &[SnapshotId],
    ) -> Result<Vec<SnapshotId>, RuntimeError>;

    /// A whole copy apart from the volume, with the databases in it checked.
    async fn back_up(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        starts: Arc<StartLock>,
    ) -> Result<Backup, RuntimeError>;

    /// The backups, oldest first.
    async fn backups(&self, spec: &Spec) -> Result<Vec<Backup>, RuntimeError>;

    /// Makes a backup the snapshot `new`.
    async fn import(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        new: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError>;

    /// How much the volume takes.
    async fn usage(&self, spec: &Spec) -> Result<Usage, RuntimeError>;

    /// Puts the volume away with all that belongs to it: whoever has the sandbox's name next finds
    /// nothing. What an order before has left is finished.
    async fn archive(&self, spec: &Spec, id: &SnapshotId) -> Result<Archived, RuntimeError>;

    /// Brings back what was put away, in the place of nothing.
    async fn unarchive(&self, spec: &Spec, id: &SnapshotId) -> Result<Archived, RuntimeError>;

    /// Removes the archive of this sandbox and of the workspace's other one.
    async fn discard(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError>;

    /// Sends the volume to whoever receives it at the other end of `stream`.
    async fn send(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        pass: SendPass,
        stream: UnixStream,
    ) -> Result<Sent, RuntimeError>;

    /// Receives what is sent at the other end of `stream`, as the archive of this sandbox.
    async fn receive(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        stream: UnixStream,
    ) -> Result<Received, RuntimeError>;

    /// Finishes or takes back what a crash left.
    async fn recover(&self, spec: &Spec) -> Result<(), RuntimeError>;
}

/// How a sandbox ended without being asked to from here.
pub(super) enum End {
    /// By itself, with how: a child's exit, or a manager's report.
    Crashed(String),
    /// Something else stopped it, on purpose.
    Stopped,
}

/// A sandbox that was started and not yet stopped.
#[async_trait]
pub(super) trait Instance: Send {
    /// Where it will listen.
    fn address(&self) -> Address;

    /// Whether it says who it is when it is asked whether it is healthy, where that is wanted of
    /// sandboxes. A program of somebody's own knows nothing of that.
    fn names_itself(&self) -> bool {
        true
    }

    /// Resolves when it may be probed, if that is not from the beginning. May be dropped and
    /// called again.
    ///
    /// # Errors
    /// A sentence, if it does not come to that.
    async fn started(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// Resolves when it begins to end without being asked to. May be dropped and called again.
    async fn ending(&mut self);

    /// Resolves once such an end is over, with how it ended.
    async fn ended(&mut self) -> End;

    /// The last lines that it wrote, oldest first; whole once it has ended.
    fn last_lines(&self) -> Vec<String>;

    /// Has it ended, with everything that it started: asked first, forced after
    /// `runtime.stop_secs`.
    ///
    /// # Errors
    /// A sentence if it is still there.
    async fn stop(&mut self) -> Result<(), String>;
}
