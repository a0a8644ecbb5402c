//! Volumes as folders: `<data_dir>/<workspace>/<sandbox>`, copied by this process itself.

use super::archives::{self, Places};
use super::folders::Folders;
use super::freezer::SandboxFreezer;
use super::guardians::Guardians;
use crate::database_check::DatabaseCheck;
use crate::private_folder;
use crate::runtime::backend::{self, StartLock};
use crate::runtime::{RuntimeError, Spec};
use ::volumes::{
    Archived, Backup, Backups, Keep, Reason, Received, SendPass, Sent, Snapshot, SnapshotId, Usage,
    Volume,
};
use async_trait::async_trait;
use dashmap::DashMap;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// As many as on NixOS by default.
const KEPT_BACKUPS: Keep = Keep {
    last: 24,
    daily: 14,
};

/// Opens a folder of backups; those above it are made for their owner only.
fn backups(folder: &Path) -> Result<Backups, RuntimeError> {
    let above = folder.parent().unwrap_or(folder);
    private_folder::make(above).map_err(|error| {
        let above = above.display();
        RuntimeError::Volume(format!(
            "cannot make {above}: {error}; mend runtime.backups_dir"
        ))
    })?;
    Ok(Backups::open(folder)?)
}

/// The volumes of all sandboxes.
pub(super) struct Volumes {
    folders: Arc<Folders>,
    guardians: Arc<Guardians>,
    /// The folder of all backups, if there are any.
    backups: Option<PathBuf>,
    program: PathBuf,
    /// For each sandbox, once it is mended where a crash had left something half-done.
    recovered: DashMap<String, Arc<OnceCell<()>>>,
}

impl Volumes {
    /// `program` is this one.
    pub(super) fn new(
        folders: Arc<Folders>,
        guardians: Arc<Guardians>,
        backups: Option<PathBuf>,
        program: &Path,
    ) -> Self {
        Self {
            folders,
            guardians,
            backups,
            program: program.to_owned(),
            recovered: DashMap::new(),
        }
    }

    /// The folder of a sandbox's backups.
    fn backups_of(&self, spec: &Spec) -> Result<PathBuf, RuntimeError> {
        let folder = self.backups.as_ref().ok_or_else(|| {
            RuntimeError::Unsupported(
                "runtime.backups_dir is not set, so there are no backups; set it to a folder, best on another disk"
                    .to_owned(),
            )
        })?;
        Ok(folder.join(&spec.workspace).join(&spec.name))
    }

    /// Forgets that a sandbox's volume was mended: the next of its name may be another's.
    pub(super) fn forget(&self, spec: &Spec) {
        self.recovered.remove(&spec.name);
    }

    /// Moves what is a sandbox's, which waits for the disk.
    async fn moved<T: Send + 'static>(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        work: fn(&Places, &Spec, &SnapshotId) -> Result<T, RuntimeError>,
    ) -> Result<T, RuntimeError> {
        let places = Places::new(&self.folders, spec, self.backups_of(spec).ok())?;
        let (spec, id) = (spec.clone(), id.clone());
        blocking(move || work(&places, &spec, &id)).await
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
        blocking(move || {
            let folder = folders.workspace_of(&spec).map_err(RuntimeError::Volume)?;
            work(&Volume::open(&folder, &spec.name)?)
        })
        .await
    }
}

/// What waits for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RuntimeError> + Send + 'static,
) -> Result<T, RuntimeError> {
    let failed = |error| RuntimeError::Volume(format!("the work on a volume failed: {error}"));
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

/// Whoever made the stream may have had other plans for it.
fn blocks(stream: &UnixStream) -> Result<(), RuntimeError> {
    let failed = |error| RuntimeError::Volume(format!("a stream can't be used: {error}"));
    stream.set_nonblocking(false).map_err(failed)
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

    async fn back_up(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        starts: Arc<StartLock>,
    ) -> Result<Backup, RuntimeError> {
        let freezer = SandboxFreezer::new(Arc::clone(&self.guardians), &spec.name, starts);
        let (id, folder) = (id.clone(), self.backups_of(spec)?);
        let check = DatabaseCheck::new(&self.program);
        self.with(spec, move |volume| {
            let to = backups(&folder)?;
            Ok(volume.back_up(&to, &id, &KEPT_BACKUPS, &freezer, &check)?)
        })
        .await
    }

    async fn backups(&self, spec: &Spec) -> Result<Vec<Backup>, RuntimeError> {
        let folder = self.backups_of(spec)?;
        self.with(spec, move |_| Ok(backups(&folder)?.list()?))
            .await
    }

    async fn import(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        new: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        let (id, new, folder) = (id.clone(), new.clone(), self.backups_of(spec)?);
        self.with(spec, move |volume| {
            Ok(volume.import(&backups(&folder)?, &id, &new)?)
        })
        .await
    }

    /// One that never ran is not made for this.
    async fn usage(&self, spec: &Spec) -> Result<Usage, RuntimeError> {
        let Some(folder) = self.folders.workspace(&spec.workspace) else {
            return Ok(Usage::default());
        };
        let name = spec.name.clone();
        blocking(move || {
            if !folder.join(&name).is_dir() {
                return Ok(Usage::default());
            }
            Ok(Volume::open(&folder, &name)?.usage()?)
        })
        .await
    }

    async fn archive(&self, spec: &Spec, id: &SnapshotId) -> Result<Archived, RuntimeError> {
        self.refuse_running(spec)?;
        self.moved(spec, id, archives::put_away).await
    }

    async fn unarchive(&self, spec: &Spec, id: &SnapshotId) -> Result<Archived, RuntimeError> {
        self.refuse_running(spec)?;
        self.moved(spec, id, archives::bring_back).await
    }

    async fn discard(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError> {
        self.moved(spec, id, archives::discard).await
    }

    async fn send(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        pass: SendPass,
        mut stream: UnixStream,
    ) -> Result<Sent, RuntimeError> {
        if pass == SendPass::Last {
            self.refuse_running(spec)?;
        }
        let id = id.clone();
        self.with(spec, move |volume| {
            blocks(&stream)?;
            Ok(volume.send(&id, pass, &mut stream)?)
        })
        .await
    }

    async fn receive(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        mut stream: UnixStream,
    ) -> Result<Received, RuntimeError> {
        let places = Places::new(&self.folders, spec, None)?;
        let (id, name) = (id.clone(), spec.name.clone());
        blocking(move || {
            blocks(&stream)?;
            Ok(places.archives()?.receive(&id, &name, &mut stream)?)
        })
        .await
    }

    async fn recover(&self, spec: &Spec) -> Result<(), RuntimeError> {
        self.recover_now(spec).await
    }
}
