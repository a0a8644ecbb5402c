//! How people join workspaces and leave them, and choose among theirs.

use super::members;
use super::route::Workspace;
use super::table::{Routes, Without};
use crate::store::{Conflict, Store, StoreError};
use std::sync::{Arc, PoisonError};
use tracing::info;
use uuid::Uuid;

/// Why the members of a workspace were not changed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum MemberError {
    /// The configuration says who they are.
    #[error(
        "the configuration names the members of {workspace}; change `workspaces.{workspace}.members` there, and restart the gateway"
    )]
    Declared { workspace: String },
    /// There is nothing to be done.
    #[error("they are a member of {workspace} already")]
    Already { workspace: String },
    /// They are none.
    #[error("they are no member of {workspace}; `hypervisor members list {workspace}` says who is")]
    NoMember { workspace: String },
    /// Nobody would be left to whom the data belong.
    #[error(
        "they are the only member of {workspace}, whose data would be nobody's; add another member first, or remove the user, which archives the workspace"
    )]
    LastMember { workspace: String },
    /// It was removed a moment ago.
    #[error(
        "there is no workspace {workspace} any longer; `hypervisor sandboxes` lists those that there are"
    )]
    NoWorkspace { workspace: String },
    /// The store refused; nothing was changed.
    #[error("the store does not answer: {0}")]
    Store(#[from] StoreError),
}

impl Routes {
    /// Makes a user a member, from now on and for all requests.
    ///
    /// # Errors
    /// Whatever the error, nothing was changed.
    pub async fn join(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        user: Uuid,
    ) -> Result<(), MemberError> {
        self.refuse_declared(workspace)?;
        let work = move |routes: &Self, store: &dyn Store, workspace: &Arc<Workspace>| {
            let name = &workspace.name;
            store.join(name, user).map_err(|error| match error {
                StoreError::Conflict(Conflict::Member) => MemberError::Already {
                    workspace: name.to_string(),
                },
                error => error.into(),
            })?;
            routes.add(user, workspace);
            info!(workspace = %name, %user, "joined");
            Ok(())
        };
        self.change_members(workspace, work).await
    }

    /// Takes a user out, from now on and for all requests; what they opened there ends.
    ///
    /// # Errors
    /// Whatever the error, nothing was changed.
    pub async fn leave(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        user: Uuid,
    ) -> Result<(), MemberError> {
        let work = move |routes: &Self, store: &dyn Store, workspace: &Arc<Workspace>| {
            // Here, so that of two who are the last ones and leave at once, one stays.
            routes.may_leave(workspace, user)?;
            store.leave(&workspace.name, user)?;
            routes.take_out(user, workspace);
            if routes.of(user).is_none() {
                routes.without.insert(user, Without::TakenOut);
            }
            info!(workspace = %workspace.name, %user, "left");
            Ok(())
        };
        self.change_members(workspace, work).await
    }

    /// Leads a user to this one of theirs from now on, wherever it is.
    ///
    /// # Errors
    /// Whatever the error, nothing was changed.
    pub async fn choose(self: &Arc<Self>, workspace: &str, user: Uuid) -> Result<(), MemberError> {
        let (routes, name) = (self.clone(), workspace.to_owned());
        let work = move |store: &dyn Store| {
            let _one = routes
                .placing
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            store.choose(user, &name).map_err(|error| match error {
                StoreError::Conflict(Conflict::Member) => MemberError::NoMember {
                    workspace: name.clone(),
                },
                error => error.into(),
            })?;
            routes.lead_to_named(user, &name);
            Ok(())
        };
        self.store.run(work).await
    }

    /// Whether a user could leave.
    ///
    /// # Errors
    /// Why not.
    pub fn may_leave(&self, workspace: &Arc<Workspace>, user: Uuid) -> Result<(), MemberError> {
        self.refuse_declared(workspace)?;
        let workspace_name = || workspace.name.to_string();
        match self.members(workspace) {
            all if !all.contains(&user) => Err(MemberError::NoMember {
                workspace: workspace_name(),
            }),
            all if all.len() == 1 => Err(MemberError::LastMember {
                workspace: workspace_name(),
            }),
            _ => Ok(()),
        }
    }

    /// The declared workspace whose members the configuration names, this one among them.
    pub fn workspace_that_names(&self, username: &str) -> Option<&String> {
        members::names(&self.config.workspaces, username)
    }

    /// One piece of work in store and memory, which also ends when the caller is gone.
    async fn change_members(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        work: impl FnOnce(&Self, &dyn Store, &Arc<Workspace>) -> Result<(), MemberError>
        + Send
        + 'static,
    ) -> Result<(), MemberError> {
        let (routes, workspace) = (self.clone(), workspace.clone());
        self.store
            .run(move |store| {
                let one = &routes.placing;
                let _one = one.lock().unwrap_or_else(PoisonError::into_inner);
                if workspace.gone.is_cancelled() {
                    let workspace = workspace.name.to_string();
                    return Err(MemberError::NoWorkspace { workspace });
                }
                work(&routes, store, &workspace)
            })
            .await
    }

    /// Refuses where the configuration says who the members are.
    ///
    /// # Errors
    /// [`MemberError::Declared`].
    pub fn refuse_declared(&self, workspace: &Workspace) -> Result<(), MemberError> {
        let declared = self.config.workspaces.get(&*workspace.name);
        match declared {
            Some(declared) if !declared.members.is_empty() => Err(MemberError::Declared {
                workspace: workspace.name.to_string(),
            }),
            _ => Ok(()),
        }
    }
}
