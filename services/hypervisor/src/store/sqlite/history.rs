//! Changes that are over as soon as they begin.

use crate::store::{ChangeKind, StoreError, WorkspaceRow};
use crate::timestamp::Timestamp;
use rusqlite::{Transaction, params};

/// Notes a swap, which made `now` of its workspace.
pub(super) fn swapped(
    tx: &Transaction,
    now: &WorkspaceRow,
    by: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO changes (workspace, kind, by, at, sandbox, from_release, to_release, generation, writes, outcome, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'done', '')",
        params![
            now.name,
            ChangeKind::Swap,
            by,
            at,
            now.live,
            now.dev_release.cast_signed(),
            now.live_release.cast_signed(),
            now.generation.cast_signed(),
            now.writes.cast_signed(),
        ],
    )?;
    Ok(())
}
