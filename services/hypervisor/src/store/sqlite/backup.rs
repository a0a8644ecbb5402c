//! Copies of a store while it is in use, and a store made of a copy.

use super::migrate;
use crate::store::lock::beside;
use crate::store::{Lock, StoreError};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Copies the store at `from` as it is at this moment to `to`, also while a hypervisor writes to
/// it. The copy is checked, and on disk, before it takes the place of what was at `to`.
///
/// # Errors
/// There is no store at `from`, `to` cannot be written, or the copy is damaged.
pub fn backup(from: &Path, to: &Path) -> Result<(), StoreError> {
    let part = beside(to, ".part");
    copy(from, &part)?;
    fs::rename(&part, to).map_err(StoreError::unopened(to))
}

/// Puts the copy at `from` in the place of the store at `to`, which no hypervisor may use. What
/// was there is kept; says where.
///
/// # Errors
/// `from` is no good store, or `to` cannot be written. Nothing was changed then.
pub fn restore(from: &Path, to: &Path) -> Result<Option<PathBuf>, StoreError> {
    let _only = Lock::take(to, "hypervisor restore")?;
    let part = beside(to, ".part");
    copy(from, &part)?;
    let folder = fs::metadata(part.parent().unwrap_or(&part)).map_err(StoreError::unopened(to))?;
    let made = fs::metadata(&part).map_err(StoreError::unopened(&part))?;
    // Root restores for the user that the hypervisor runs as, whose folder it is; who that is may
    // be denied the call as such.
    if (made.uid(), made.gid()) != (folder.uid(), folder.gid()) {
        std::os::unix::fs::chown(&part, Some(folder.uid()), Some(folder.gid()))
            .map_err(StoreError::unopened(&part))?;
    }
    let old = to.exists().then(|| beside(to, ".before-restore"));
    if let Some(old) = &old {
        for suffix in ["", "-wal", "-shm"] {
            let kept = beside(old, suffix);
            match fs::rename(beside(to, suffix), &kept) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    let _ = fs::remove_file(kept); // Of an earlier restore, if there is one.
                }
                renamed => renamed.map_err(StoreError::unopened(&kept))?,
            }
        }
    }
    fs::rename(&part, to).map_err(StoreError::unopened(to))?;
    Ok(old)
}

/// Copies a store to one file that is whole, checked and on disk, or to none.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let copied = copy_whole(from, to);
    if copied.is_err() {
        // It would keep its room on a full disk.
        let _ = fs::remove_file(to);
    }
    copied
}

fn copy_whole(from: &Path, to: &Path) -> Result<(), StoreError> {
    // SQLite would make what is not there, or call it a database of its own.
    File::open(from).map_err(StoreError::unopened(from))?;
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    source.busy_timeout(super::BUSY_TIMEOUT)?;
    migrate::known(&source, from)?;
    let _ = fs::remove_file(to); // Of a copy that was broken off.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(StoreError::unopened(to))?;
    let mut copy = Connection::open(to)?;
    // All pages in one step are one moment; writers need not wait for it in WAL mode.
    Backup::new(&source, &mut copy)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
    // One file, which whoever reads it need not write beside.
    copy.pragma_update(None, "journal_mode", "delete")?;
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Corrupt(verdict));
    }
    file.sync_all().map_err(StoreError::unopened(to))
}
