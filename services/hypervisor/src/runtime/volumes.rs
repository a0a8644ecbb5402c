//! The volumes of sandboxes, and their snapshots.

use super::backend::Volumes;
use super::supervision::Supervision;
use super::{RuntimeError, Sandbox, Status};
use ::volumes::{Backup, Reason, Snapshot, SnapshotId};
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

impl Sandbox {
    /// Copies most of its volume ahead, so that [`Sandbox::snapshot`] with this id is short.
    ///
    /// # Errors
    /// [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    pub async fn prepare_snapshot(&self, id: &SnapshotId) -> Result<(), RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id) = (self.spec().clone(), id.clone());
        let turn = self.volume().lock_owned().await;
        whole(turn, async move { volumes.prepare(&spec, &id).await }).await
    }

    /// A copy of its volume as of one moment. One that runs is frozen in that moment, and none
    /// starts.
    ///
    /// # Errors
    /// [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    pub async fn snapshot(
        &self,
        id: &SnapshotId,
        reason: Reason,
    ) -> Result<Snapshot, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id, starts) = (self.spec().clone(), id.clone(), self.starts());
        let turn = self.volume().lock_owned().await;
        let work = async move { volumes.snapshot(&spec, &id, reason, starts).await };
        whole(turn, work).await
    }

    /// Makes its volume a copy of that snapshot of `from`, which may be itself. It must be
    /// stopped, and is not started meanwhile; what was there becomes its snapshot `aside`.
    ///
    /// # Errors
    /// [`RuntimeError::NoSnapshot`], [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`],
    /// [`RuntimeError::Volume`]; its volume is then what it was.
    pub async fn replace_volume(
        &self,
        from: &Self,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, from) = (self.spec().clone(), from.spec().clone());
        if spec.workspace != from.workspace {
            return Err(RuntimeError::Volume(format!(
                "sandbox `{}` is of another workspace than `{}`; take a snapshot of its own workspace",
                from.name, spec.name
            )));
        }
        let (id, aside) = (id.clone(), aside.clone());
        let work = async move { volumes.replace(&spec, &from, &id, &aside).await };
        self.at_rest(work).await
    }

    /// As [`Sandbox::replace_volume`] with one of its own snapshots, which is none any longer then:
    /// that takes neither time nor room.
    ///
    /// # Errors
    /// [`RuntimeError::NoSnapshot`], [`RuntimeError::Unsupported`], [`RuntimeError::Volume`]; its
    /// volume is then what it was.
    pub async fn put_back(
        &self,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id, aside) = (self.spec().clone(), id.clone(), aside.clone());
        let work = async move { volumes.put_back(&spec, &id, &aside).await };
        self.at_rest(work).await
    }

    /// Does this to its volume while it does not run, and is not started.
    pub(super) async fn at_rest<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, RuntimeError>> + Send + 'static,
    ) -> Result<T, RuntimeError> {
        let turn = self.volume().lock_owned().await;
        let unstarted = self.unstarted().await?;
        whole((turn, unstarted), work).await
    }

    /// Keeps it from being started; whoever wants to waits. It may have been just before.
    async fn unstarted(&self) -> Result<OwnedMutexGuard<()>, RuntimeError> {
        let unstarted = self.starts().lock_owned().await;
        let status = self.view().status;
        if matches!(status, Status::Stopped | Status::Failed) {
            return Ok(unstarted);
        }
        Err(RuntimeError::Volume(format!(
            "the volume of sandbox `{}` cannot be replaced while it is {status}; stop it first",
            self.name()
        )))
    }

    /// Its snapshots, oldest first.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>, RuntimeError> {
        let volumes = self.kept()?;
        let spec = self.spec().clone();
        whole((), async move { volumes.list(&spec).await }).await
    }

    /// Removes one of its snapshots.
    ///
    /// # Errors
    /// [`RuntimeError::NoSnapshot`], [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    pub async fn remove_snapshot(&self, id: &SnapshotId) -> Result<(), RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id) = (self.spec().clone(), id.clone());
        let turn = self.volume().lock_owned().await;
        whole(turn, async move { volumes.remove(&spec, &id).await }).await
    }

    /// Removes the snapshots that no rule keeps, but none of `held`; says which.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    pub async fn prune_snapshots(
        &self,
        held: &[SnapshotId],
    ) -> Result<Vec<SnapshotId>, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, held) = (self.spec().clone(), held.to_vec());
        let turn = self.volume().lock_owned().await;
        whole(turn, async move { volumes.prune(&spec, &held).await }).await
    }

    /// A whole copy of its volume apart from it, as of one moment, with the databases in it
    /// checked. One that runs is frozen in that moment.
    ///
    /// # Errors
    /// [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`], and [`RuntimeError::Volume`], also
    /// if a database is not whole.
    pub async fn back_up(&self, id: &SnapshotId) -> Result<Backup, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id, starts) = (self.spec().clone(), id.clone(), self.starts());
        let turn = self.volume().lock_owned().await;
        let work = async move { volumes.back_up(&spec, &id, starts).await };
        whole(turn, work).await
    }

    /// Its backups, oldest first.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    pub async fn backups(&self) -> Result<Vec<Backup>, RuntimeError> {
        let volumes = self.kept()?;
        let spec = self.spec().clone();
        whole((), async move { volumes.backups(&spec).await }).await
    }

    /// Makes a backup its snapshot `new`, which can be restored as any.
    ///
    /// # Errors
    /// [`RuntimeError::NoSnapshot`], [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`],
    /// [`RuntimeError::Volume`].
    pub async fn import_backup(
        &self,
        id: &SnapshotId,
        new: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id, new) = (self.spec().clone(), id.clone(), new.clone());
        let turn = self.volume().lock_owned().await;
        whole(turn, async move { volumes.import(&spec, &id, &new).await }).await
    }

    /// Finishes or takes back what a crash left half-done, if anything here ever begins such. To be
    /// called before it is started; `process` does so itself.
    ///
    /// # Errors
    /// [`RuntimeError::Volume`].
    pub async fn recover_volume(&self) -> Result<(), RuntimeError> {
        let Ok(volumes) = self.kept() else {
            return Ok(()); // Nothing was ever begun here.
        };
        let spec = self.spec().clone();
        let turn = self.volume().lock_owned().await;
        whole(turn, async move { volumes.recover(&spec).await }).await
    }

    pub(super) fn kept(&self) -> Result<Arc<dyn Volumes>, RuntimeError> {
        match self.supervision() {
            Supervision::Supervise(backend) => Ok(backend.volumes()),
            Supervision::Watch(_) => Err(RuntimeError::Unsupported(format!(
                "runtime.kind is `adopt`: something else runs sandbox `{}`, and has its volume; copy it there",
                self.name()
            ))),
        }
    }
}

/// Comes to its end even if whoever asked no longer waits, and holds `held` until then.
pub(super) async fn whole<T: Send + 'static>(
    held: impl Send + 'static,
    work: impl Future<Output = Result<T, RuntimeError>> + Send + 'static,
) -> Result<T, RuntimeError> {
    let failed = |error| RuntimeError::Volume(format!("the work on a volume failed: {error}"));
    let work = async move {
        let outcome = work.await;
        drop(held);
        outcome
    };
    tokio::spawn(work).await.map_err(failed)?
}
