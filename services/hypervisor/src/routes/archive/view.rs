//! Archives, as people see them.

use crate::routes::table::Routes;
use crate::store::{ArchiveRow, ArchiveState, StoreError};
use crate::timestamp::Timestamp;
use serde::Serialize;

/// An archive.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ArchiveView {
    /// What it is called.
    pub id: String,
    /// What the workspace was called.
    pub workspace: String,
    /// Who were its members.
    pub members: Vec<String>,
    /// When it was removed.
    pub archived_at: Timestamp,
    /// When it is deleted by rule, if it is.
    pub delete_at: Option<Timestamp>,
    /// How much data it has, once it is whole.
    pub bytes: u64,
    /// How far it has come.
    pub state: ArchiveState,
}

impl From<ArchiveRow> for ArchiveView {
    fn from(row: ArchiveRow) -> Self {
        Self {
            id: row.id,
            workspace: row.workspace,
            members: row.members,
            archived_at: row.at,
            delete_at: row.delete_at,
            bytes: row.bytes,
            state: row.state,
        }
    }
}

impl Routes {
    /// All archives, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn archives(&self) -> Result<Vec<ArchiveView>, StoreError> {
        let rows = self.archive_rows().await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Those whose data are here.
    pub(in crate::routes) async fn archive_rows(&self) -> Result<Vec<ArchiveRow>, StoreError> {
        let mut rows = self.store.run(|store| store.archives()).await?;
        rows.retain(|row| row.home == self.config.machine());
        Ok(rows)
    }
}
