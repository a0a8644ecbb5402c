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
pub use remove::{Removed, Remover};
pub use restore::Restored;
pub use view::ArchiveView;

use super::table::Routes;
use crate::role::Role;
use crate::runtime::{RuntimeError, Sandbox, SnapshotId};
use crate::store::{ArchiveRow, StoreError, WorkspaceRow};
use std::sync::Arc;

/// What volumes' archives call it.
fn id_of(archive: &str) -> Result<SnapshotId, RuntimeError> {
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

/// The roles that sandboxes are born with, in the order in which archives take them.
const BORN: [Role; 2] = [Role::Live, Role::Dev];
