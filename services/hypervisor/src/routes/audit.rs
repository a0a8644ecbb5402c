//! What is done to a workspace, in the audit log of each of its owners.

use super::route::Workspace;
use super::table::Routes;
use crate::auth;
use crate::store::{AuditRow, StoreError};
use std::sync::Arc;
use uuid::Uuid;

impl Routes {
    /// Tells each member in the audit log of something that was done to their workspace.
    pub async fn audit(&self, workspace: &Arc<Workspace>, row: AuditRow) {
        self.audit_for(self.members(workspace), row).await;
    }

    /// The same of a workspace that has, or had, these owners.
    pub async fn audit_for(&self, members: Vec<Uuid>, row: AuditRow) {
        let mut users: Vec<_> = members.into_iter().map(Some).collect();
        if users.is_empty() {
            users.push(None); // It happened all the same.
        }
        let event = row.event.clone();
        let noted = self.store.run(move |store| {
            for user_id in users {
                let row = AuditRow {
                    user_id,
                    ..row.clone()
                };
                auth::audit(store, &row);
            }
            Ok::<_, StoreError>(())
        });
        if let Err(error) = noted.await {
            tracing::error!(%error, event, "an event is missing from the audit log");
        }
    }

    /// The same of what the gateway did by itself.
    pub(super) async fn audit_own(
        &self,
        workspace: &Arc<Workspace>,
        event: &'static str,
        said: String,
    ) {
        let row = AuditRow {
            actor: Some("the gateway".to_owned()),
            ..AuditRow::new(event, None, said)
        };
        self.audit(workspace, row).await;
    }
}
