//! Releases as files: `<data_dir>/<workspace>/.releases/<number>.json`, each written once.

mod check;
mod file;

use super::folders::Folders;
use crate::private_folder;
use crate::runtime::{Release, ReleaseContent, RuntimeError};
use file::ReleaseFile;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

/// The folder of a workspace's releases, beside its sandboxes' volumes.
pub(super) const FOLDER: &str = ".releases";

/// Who added what `runtime.command` declares.
const CONFIG: &str = "runtime.command";

/// The releases of all workspaces. Every call waits for the disk.
pub(super) struct Releases {
    folders: Arc<Folders>,
    /// What the config declares.
    declared: Vec<String>,
    /// Held while one is added, so that no two get the same number.
    adding: Mutex<()>,
}

impl Releases {
    pub(super) fn new(folders: Arc<Folders>, declared: Vec<String>) -> Self {
        Self {
            folders,
            declared,
            adding: Mutex::default(),
        }
    }

    /// All of a workspace's, oldest first.
    pub(super) fn all(&self, workspace: &str) -> Result<Vec<Release>, RuntimeError> {
        let folder = self.folder(workspace)?;
        let all = read_all(&folder).map_err(|cause| unreadable(workspace, cause))?;
        let told = |(number, file): &(u64, ReleaseFile)| file.release(*number);
        Ok(all.iter().map(told).collect())
    }

    /// The one of this number; 0 is the newest, what the config declares among them.
    pub(super) fn get(
        &self,
        workspace: &str,
        number: u64,
    ) -> Result<(u64, ReleaseFile), RuntimeError> {
        let folder = self.folder(workspace)?;
        if number == 0 {
            self.declared(workspace)?;
            let newest = read_all(&folder)
                .map_err(|cause| unreadable(workspace, cause))?
                .pop();
            return newest.ok_or_else(|| no_release(workspace, number));
        }
        match file::read(&folder, number) {
            Ok(Some(file)) => Ok((number, file)),
            Ok(None) => Err(no_release(workspace, number)),
            Err(cause) => Err(unreadable(workspace, cause)),
        }
    }

    /// A new one, unless the newest is the same.
    pub(super) fn add(
        &self,
        workspace: &str,
        command: Vec<String>,
        env: BTreeMap<String, String>,
        by: &str,
    ) -> Result<Release, RuntimeError> {
        check::check(&command, &env).map_err(RuntimeError::InvalidRelease)?;
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder(workspace)?;
        let newest = read_all(&folder)
            .map_err(|cause| unreadable(workspace, cause))?
            .pop();
        if let Some((number, file)) = &newest
            && file.runs(&command, &env)
        {
            return Ok(file.release(*number));
        }
        let file = ReleaseFile::new(command, env, by, false);
        self.keep(workspace, newest.map_or(1, |(number, _)| number + 1), &file)
    }

    /// The one that is just this: one that is there, or else a new one.
    pub(super) fn of(
        &self,
        workspace: &str,
        content: ReleaseContent,
        by: &str,
    ) -> Result<u64, RuntimeError> {
        let ReleaseContent::Command {
            command,
            env,
            declared,
        } = content
        else {
            return Err(RuntimeError::InvalidRelease(
                "it is a system's closure, and this machine runs sandboxes as processes; move the workspace to one that runs containers".to_owned(),
            ));
        };
        check::check(&command, &env).map_err(RuntimeError::InvalidRelease)?;
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder(workspace)?;
        let all = read_all(&folder).map_err(|cause| unreadable(workspace, cause))?;
        let is_it = |file: &ReleaseFile| file.declared == declared && file.runs(&command, &env);
        if let Some((number, _)) = all.iter().rfind(|(_, file)| is_it(file)) {
            return Ok(*number);
        }
        let file = ReleaseFile::new(command, env, by, declared);
        let number = all.last().map_or(1, |(number, _)| number + 1);
        Ok(self.keep(workspace, number, &file)?.number)
    }

    /// The number of what the config declares: a new one if the newest that came from there runs
    /// something else.
    pub(super) fn declared(&self, workspace: &str) -> Result<u64, RuntimeError> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder(workspace)?;
        let all = read_all(&folder).map_err(|cause| unreadable(workspace, cause))?;
        let last = all.iter().rfind(|(_, file)| file.declared);
        if let Some((number, file)) = last
            && file.command == self.declared
        {
            return Ok(*number);
        }
        let file = ReleaseFile::new(self.declared.clone(), BTreeMap::new(), CONFIG, true);
        let number = all.last().map_or(1, |(number, _)| number + 1);
        Ok(self.keep(workspace, number, &file)?.number)
    }

    fn keep(
        &self,
        workspace: &str,
        number: u64,
        file: &ReleaseFile,
    ) -> Result<Release, RuntimeError> {
        let folder = self.folder(workspace)?;
        let kept = private_folder::make(&folder).and_then(|()| file.write(&folder, number));
        kept.map_err(|error| RuntimeError::Releases {
            workspace: workspace.to_owned(),
            cause: format!(
                "{} cannot be written ({error}); mend runtime.data_dir",
                folder.display()
            ),
        })?;
        Ok(file.release(number))
    }

    fn folder(&self, workspace: &str) -> Result<PathBuf, RuntimeError> {
        let folder = self.folders.workspace(workspace);
        let folder = folder.ok_or_else(|| RuntimeError::Releases {
            workspace: workspace.to_owned(),
            cause: "its name cannot name a folder; give it another".to_owned(),
        })?;
        Ok(folder.join(FOLDER))
    }
}

fn no_release(workspace: &str, number: u64) -> RuntimeError {
    RuntimeError::NoRelease {
        workspace: workspace.to_owned(),
        number,
    }
}

fn unreadable(workspace: &str, cause: String) -> RuntimeError {
    RuntimeError::Releases {
        workspace: workspace.to_owned(),
        cause,
    }
}

/// The releases in a folder, by their number. Anything else there is not ours.
fn read_all(folder: &Path) -> Result<Vec<(u64, ReleaseFile)>, String> {
    let unlisted =
        |error: io::Error| format!("{} cannot be listed ({error}); mend it", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unlisted)?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let name = entry.map_err(unlisted)?.file_name();
        let Some(number) = name.to_str().and_then(file::number) else {
            continue;
        };
        if let Some(file) = file::read(folder, number)? {
            all.push((number, file));
        }
    }
    all.sort_by_key(|(number, _)| *number);
    Ok(all)
}
