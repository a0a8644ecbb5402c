//! Keeps a gateway and a restore, or two gateways, from using one store at once.

use super::StoreError;
use crate::private_folder;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// What the lock's file is called after the store's.
const SUFFIX: &str = ".lock";

/// The right to use a store; the system takes it back when this program ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it for `holder`, which is what others are told has it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if somebody has it; the file beside the store cannot be made.
    pub fn take(store: &Path, holder: &str) -> Result<Self, StoreError> {
        let path = beside(store, SUFFIX);
        let unopened = StoreError::unopened(&path);
        private_folder::make_for(store).map_err(&unopened)?;
        let mut file = open(&path).map_err(&unopened)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(unopened(error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder); // It is said without, then.
                return Err(StoreError::InUse {
                    path: store.into(),
                    holder,
                });
            }
        }
        // Only for the sentence above, and a full disk must not be in the way.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = write!(file, "{holder} (pid {})", std::process::id());
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.nlink() != 1 {
        // Root would else write to what somebody has linked here.
        return Err(std::io::Error::other("this is no file of ours; remove it"));
    }
    if let Some(folder) = path
        .parent()
        .filter(|_| rustix::process::geteuid().is_root())
    {
        // Root restores for the user that the gateway runs as, whose folder it is.
        let folder = std::fs::metadata(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        })?;
        fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(file)
}

/// The file of this name and `suffix`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_the_other_is_told_who() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("state/hypervisor.db");
        let first = Lock::take(&store, "the first").unwrap();
        let refusal = Lock::take(&store, "the second").unwrap_err();
        let said = refusal.to_string();
        assert!(said.contains("the first (pid "), "{said}");
        drop(first);
        Lock::take(&store, "the second").unwrap();

        let path = beside(&store, SUFFIX);
        let other = dir.path().join("other");
        std::fs::write(&other, "precious").unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(&other, &path).unwrap();
        assert!(Lock::take(&store, "root").is_err());
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(Lock::take(&store, "root").is_err());
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "precious");
    }
}
