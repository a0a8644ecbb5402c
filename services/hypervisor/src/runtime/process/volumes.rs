//! Volumes as folders: `<data_dir>/<workspace>/<sandbox>`, copied by this process itself.

use super::folders::Folders;
use super::freezer::SandboxFreezer;
use super::guardians::Guardians;
use crate::runtime::backend::{self, StartLock};
use crate::runtime::{RuntimeError, Spec};
use ::volumes::{Keep, Reason, Snapshot, SnapshotId, Volume};
use async_trait::async_trait;
use dashmap::DashMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The volumes of all sandboxes.
pub(super) struct Volumes {
    folders: Arc<Folders>,
    guardians: Arc<Guardians>,
    /// For each sandbox, once it is mended where a crash had left something half-done.
    recovered: DashMap<String, Arc<OnceCell<()>>>,
}

impl Volumes {
    pub(super) fn new(folders: Arc<Folders>, guardians: Arc<Guardians>) -> Self {
        Self {
            folders,
            guardians,
            recovered: DashMap::new(),
        }
    }

    /// One that could not be stopped may count as stopped.
    fn refuse_running(&self, spec: &Spec) -> Result<(), RuntimeError> {
        if self.guardians.of(&spec.name).is_none() {
            return Ok(());
        }
        Err(RuntimeError::Volume(format!(
            "the volume of sandbox `{}` cannot be replaced while its processes are there; end them first",
            spec.name
        )))
    }

    /// The folder that is a sandbox's volume. What a crash had left is mended before anything else
    /// is done with it: a start must not wait for a copy that waits for the start.
    pub(super) async fn folder(&self, spec: &Spec) -> Result<PathBuf, RuntimeError> {
        let recovered = Arc::clone(&self.recovered.entry(spec.name.clone()).or_default());
        recovered.get_or_try_init(|| self.recover_now(spec)).await?;
        let folder = self.folders.workspace_of(spec);
        Ok(folder.map_err(RuntimeError::Volume)?.join(&spec.name))
    }

    async fn recover_now(&self, spec: &Spec) -> Result<(), RuntimeError> {
        self.work(spec, |volume| Ok(volume.recover()?)).await
    }

    async fn with<T: Send + 'static>(
        &self,
        spec: &Spec,
        work: impl FnOnce(&Volume) -> Result<T, RuntimeError> + Send + 'static,
    ) -> Result<T, RuntimeError> {
        self.folder(spec).await?;
        self.work(spec, work).await
    }

    /// Works on a sandbox's volume, which waits for the disk. One that never ran is made first.
    async fn work<T: Send + 'static>(
        &self,
        spec: &Spec,
        work: impl FnOnce(&Volume) -> Result<T, RuntimeError> + Send + 'static,
    ) -> Result<T, RuntimeError> {
        let (folders, spec) = (Arc::clone(&self.folders), spec.clone());
        let work = move || {
            let folder = folders.workspace_of(&spec).map_err(RuntimeError::Volume)?;
            work(&Volume::open(&folder, &spec.name)?)
        };
        let failed = |error| RuntimeError::Volume(format!("the work on a volume failed: {error}"));
        tokio::task::spawn_blocking(work).await.map_err(failed)?
    }
}

#[async_trait]
impl backend::Volumes for Volumes {
    async fn prepare(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError> {
        let id = id.clone();
        self.with(spec, move |volume| Ok(volume.prepare(&id)?))
            .await
    }

    async fn snapshot(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        reason: Reason,
        starts: Arc<StartLock>,
    ) -> Result<Snapshot, RuntimeError> {
        let freezer = SandboxFreezer::new(Arc::clone(&self.guardians), &spec.name, starts);
        let id = id.clone();
        self.with(spec, move |volume| {
            Ok(volume.snapshot(&id, reason, &freezer)?)
        })
        .await
    }

    async fn replace(
        &self,
        spec: &Spec,
        from: &Spec,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        self.refuse_running(spec)?;
        let (id, aside) = (id.clone(), aside.clone());
        let (folders, from) = (Arc::clone(&self.folders), from.clone());
        let work = move |volume: &Volume| {
            let folder = folders.workspace_of(&from).map_err(RuntimeError::Volume)?;
            let from = Volume::open(&folder, &from.name)?;
            Ok(volume.replace(&from, &id, &aside)?)
        };
        self.with(spec, work).await
    }

    async fn put_back(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        self.refuse_running(spec)?;
        let (id, aside) = (id.clone(), aside.clone());
        self.with(spec, move |volume| Ok(volume.put_back(&id, &aside)?))
            .await
    }

    async fn list(&self, spec: &Spec) -> Result<Vec<Snapshot>, RuntimeError> {
        self.with(spec, |volume| Ok(volume.snapshots()?)).await
    }

    async fn remove(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError> {
        let id = id.clone();
        self.with(spec, move |volume| Ok(volume.remove(&id)?)).await
    }

    async fn prune(
        &self,
        spec: &Spec,
        held: &[SnapshotId],
    ) -> Result<Vec<SnapshotId>, RuntimeError> {
        let held = held.to_vec();
        self.with(spec, move |volume| {
            Ok(volume.prune(&Keep::default(), &held)?)
        })
        .await
    }

    async fn recover(&self, spec: &Spec) -> Result<(), RuntimeError> {
        self.recover_now(spec).await
    }
}
