//! What becomes of a workspace with its last member: its data are kept apart as they are, until they
//! are a workspace again, or are deleted by rule. Its slot is free for somebody else.
//!
//! The store says what is under way, before anything of it is done. A start finishes what was broken
//! off, and serves no workspace of which the data are not where they belong.

mod delete;
mod error;
mod put_away;
mod remove;
mod restore;
mod resume;
mod view;

pub use error::{ArchiveError, RemoveError};
pub(super) use put_away::rest_and_archive;
pub use remove::{Removed, Remover};
pub use restore::Restored;
pub use view::ArchiveView;

use super::table::Routes;
use crate::role::Role;
use crate::runtime::{RuntimeError, Sandbox, SnapshotId};
use crate::store::{ArchiveRow, StoreError, WorkspaceRow};
use crate::timestamp::Timestamp;
use std::sync::Arc;

/// What volumes' archives call it.
pub(super) fn id_of(archive: &str) -> Result<SnapshotId, RuntimeError> {
    archive
        .parse()
        .map_err(|_| RuntimeError::Volume(format!("`{archive}` is no archive's id")))
}

impl Routes {
    /// The sandboxes of a workspace that nobody is led to: the one that was born live first.
    fn sandboxes(&self, row: &WorkspaceRow) -> Result<[Arc<Sandbox>; 2], StoreError> {
        let (live, dev) = (self.sandbox(row, &row.live)?, self.sandbox(row, &row.dev)?);
        Ok(match live.born() {
            Role::Live => [live, dev],
            Role::Dev => [dev, live],
        })
    }

    async fn archive_row(&self, id: &str) -> Result<Option<ArchiveRow>, StoreError> {
        let rows = self.archive_rows().await?;
        Ok(rows.into_iter().find(|row| row.id == id))
    }
}

/// When an archive of this moment is deleted by rule; none for never.
pub(super) fn delete_at(days: u64, at: Timestamp) -> Option<Timestamp> {
    let keep = keep_ms(days)?;
    Some(Timestamp::from_millis(at.millis().saturating_add(keep)))
}

/// For how long in milliseconds archives are kept; none for ever.
fn keep_ms(days: u64) -> Option<i64> {
    let keep = i64::try_from(days.saturating_mul(DAY_MS)).unwrap_or(i64::MAX);
    (days > 0).then_some(keep)
}

const DAY_MS: u64 = 86_400_000;

/// The roles that sandboxes are born with, in the order in which archives take them.
const BORN: [Role; 2] = [Role::Live, Role::Dev];
