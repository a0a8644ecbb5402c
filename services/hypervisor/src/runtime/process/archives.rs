//! Archives as folders: `<data_dir>/.archives/<id>/<role>`, and `releases` beside the volumes for
//! the workspace's releases, which are its own.

use super::folders::Folders;
use super::releases::FOLDER as RELEASES;
use crate::private_folder;
use crate::role::Role;
use crate::runtime::{RuntimeError, Spec};
use ::volumes::{Archived, Archives, Backups, SnapshotId, Volume};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Where what is a sandbox's lies, here and in the archive.
pub(super) struct Places {
    workspace: PathBuf,
    archives: PathBuf,
    backups: Option<PathBuf>,
}

impl Places {
    pub(super) fn new(
        folders: &Folders,
        spec: &Spec,
        backups: Option<PathBuf>,
    ) -> Result<Self, RuntimeError> {
        let workspace = folders.workspace(&spec.workspace).ok_or_else(|| {
            let name = spec.workspace.escape_debug();
            RuntimeError::Volume(format!("`{name}` cannot name a folder; give it another"))
        })?;
        Ok(Self {
            workspace,
            archives: folders.archives(),
            backups: backups.filter(|folder| folder.is_dir()),
        })
    }

    pub(super) fn archives(&self) -> Result<Archives, RuntimeError> {
        private_folder::make(&self.archives).map_err(failed(&self.archives))?;
        Ok(Archives::open(&self.archives)?)
    }

    fn volume(&self, spec: &Spec) -> Result<Volume, RuntimeError> {
        private_folder::make(&self.workspace).map_err(failed(&self.workspace))?;
        Ok(Volume::open(&self.workspace, &spec.name)?)
    }

    fn backups(&self) -> Result<Option<Backups>, RuntimeError> {
        let folder = self.backups.as_deref();
        Ok(folder.map(Backups::open).transpose()?)
    }

    fn kept_releases(&self, id: &SnapshotId) -> PathBuf {
        self.archives.join(id.as_str()).join("releases")
    }
}

pub(super) fn put_away(
    places: &Places,
    spec: &Spec,
    id: &SnapshotId,
) -> Result<Archived, RuntimeError> {
    let backups = places.backups()?;
    let archived = places
        .volume(spec)?
        .archive(&places.archives()?, backups.as_ref(), id)?;
    // One of the two is enough.
    if spec.instance_role == Role::Live {
        carry(&places.workspace.join(RELEASES), &places.kept_releases(id))?;
    }
    remove_if_empty(places, spec);
    Ok(archived)
}

pub(super) fn bring_back(
    places: &Places,
    spec: &Spec,
    id: &SnapshotId,
) -> Result<Archived, RuntimeError> {
    let archives = places.archives()?;
    let archived = places.volume(spec)?.unarchive(&archives, id)?;
    if let Some(backups) = places.backups()? {
        backups.bring_back(id)?;
    }
    if spec.instance_role == Role::Live {
        carry(&places.kept_releases(id), &places.workspace.join(RELEASES))?;
    }
    Ok(archived)
}

pub(super) fn discard(places: &Places, _spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError> {
    places.archives()?.discard(id)?;
    if let Some(backups) = places.backups()? {
        backups.discard_archived(id)?;
    }
    Ok(())
}

/// Moves a folder of our own files, unless that is done.
fn carry(from: &Path, to: &Path) -> Result<(), RuntimeError> {
    if !from.exists() {
        return Ok(());
    }
    let moved = match fs::rename(from, to) {
        // To another file system: all of them are there before any of them goes.
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            copy(from, to).and_then(|()| fs::remove_dir_all(from))
        }
        moved => moved,
    };
    moved
        .and_then(|()| sync_above(to))
        .and_then(|()| sync_above(from))
        .map_err(failed(from))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    private_folder::make(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        let copy = to.join(file.file_name());
        fs::copy(file.path(), &copy)?;
        File::open(copy)?.sync_all()?;
    }
    File::open(to)?.sync_all()
}

fn sync_above(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |above| File::open(above)?.sync_all())
}

/// Nothing is left of a workspace of which both volumes are away.
fn remove_if_empty(places: &Places, spec: &Spec) {
    let snapshots = places.workspace.join(".snapshots");
    let own = snapshots.join(&spec.name);
    if !places.workspace.join(&spec.name).exists() {
        let _ = fs::remove_file(own.join("lock"));
        let _ = fs::remove_dir(own);
    }
    let _ = fs::remove_dir(snapshots);
    let _ = fs::remove_dir(&places.workspace);
}

fn failed(path: &Path) -> impl Fn(io::Error) -> RuntimeError {
    let path = path.display().to_string();
    move |error| {
        RuntimeError::Volume(format!(
            "cannot make or move {path}: {error}; mend runtime.data_dir"
        ))
    }
}
