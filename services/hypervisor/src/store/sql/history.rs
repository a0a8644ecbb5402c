//! Changes that are over as soon as they begin.

use super::{Statements, params};
use crate::store::{ChangeKind, StoreError, WorkspaceRow};
use crate::timestamp::Timestamp;

/// Notes a swap, which made `now` of its workspace.
pub(super) fn swapped(
    tx: &Statements,
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
            now.dev_release,
            now.live_release,
            now.generation,
            now.writes,
        ],
    )?;
    Ok(())
}
