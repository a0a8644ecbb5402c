//! Where the volumes of sandboxes are.

use crate::private_folder;
use crate::runtime::Spec;
use std::path::{Component, Path, PathBuf};

/// The folders below `runtime.data_dir`.
pub(super) struct Folders {
    data_dir: PathBuf,
}

impl Folders {
    pub(super) fn new(data_dir: PathBuf) -> Self {
        Self { data_dir }
    }

    /// The folder of a workspace, whether it is there or not; none if its name cannot name one.
    pub(super) fn workspace(&self, name: &str) -> Option<PathBuf> {
        is_plain(name).then(|| self.data_dir.join(name))
    }

    /// The folder of all archives.
    pub(super) fn archives(&self) -> PathBuf {
        self.data_dir.join(".archives")
    }

    /// The folder in which a sandbox's volume is, which is made with it, for its owner only.
    pub(super) fn workspace_of(&self, spec: &Spec) -> Result<PathBuf, String> {
        let folder = self.workspace(&spec.workspace);
        let (Some(folder), true) = (folder, is_plain(&spec.name)) else {
            return Err(format!(
                "`{}` or its workspace's name cannot name a folder; give it another",
                spec.name.escape_debug()
            ));
        };
        let volume = folder.join(&spec.name);
        private_folder::make(&volume).map_err(|error| {
            let volume = volume.display();
            format!("cannot make {volume}: {error}; mend runtime.data_dir")
        })?;
        Ok(folder)
    }
}

/// Whether it is the name of one folder, no way out of its parent, and not one of ours.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let is_one = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
    is_one && !name.starts_with('.')
}
