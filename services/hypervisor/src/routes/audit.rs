//! What is done to a workspace, in the audit log of each of its owners.

use super::route::Workspace;
use super::table::Routes;
use crate::auth;
use crate::store::StoreError;

impl Routes {
    /// Tells each owner in the audit log of something that was done to their workspace.
    pub async fn audit(&self, workspace: &Workspace, event: &'static str, said: String) {
        let name = workspace.name.clone();
        let owners = self.owners().into_iter().filter(|(_, of)| of.name == name);
        let mut users: Vec<_> = owners.map(|(user, _)| Some(user)).collect();
        if users.is_empty() {
            users.push(None); // It happened all the same.
        }
        let noted = self.store.run(move |store| {
            for user in users {
                auth::audit_event(store, event, user, None, said.clone());
            }
            Ok::<_, StoreError>(())
        });
        if let Err(error) = noted.await {
            tracing::error!(%error, "an event is missing from the audit log");
        }
    }
}
