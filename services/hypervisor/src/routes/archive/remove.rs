//! Removing a person, with the workspaces that were theirs alone.

use super::error::RemoveError;
use super::keep_ms;
use crate::role::Role;
use crate::routes::change::new_id;
use crate::routes::fail_point::fail_point;
use crate::routes::held::Held;
use crate::routes::route::{Pair, Workspace};
use crate::routes::table::Routes;
use crate::store::{ArchiveRow, Removal, Store, StoreError};
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinSet;
use tracing::info;
use uuid::Uuid;

/// For how long a change that is at work is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long whoever asked waits for the data.
const ANSWERED: Duration = Duration::from_secs(10);

/// Who has gone.
#[derive(Debug, Clone, Serialize)]
pub struct Removed {
    /// The workspaces that were theirs alone.
    pub archived: Vec<String>,
    /// Those of them whose data are still on the way, which goes on by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub under_way: Vec<String>,
}

/// Who removes somebody, and what else is done the moment that these are gone.
pub struct Remover {
    /// The admin, if it is not the operator.
    pub admin: Option<Uuid>,
    /// What they are called.
    pub name: String,
    /// Does it; the names are those of the workspaces that go with the person.
    pub gone: WhenGone,
}

/// What is done when somebody is gone.
type WhenGone = Box<dyn FnOnce(&dyn Store, &[String]) + Send>;

/// The operator, with nothing else to be done.
impl From<&str> for Remover {
    fn from(name: &str) -> Self {
        Self {
            admin: None,
            name: name.to_owned(),
            gone: Box::new(|_, _| ()),
        }
    }
}

/// A workspace that nobody is led to any longer, and what keeps it from being changed.
pub(in crate::routes) type Gone = (ArchiveRow, Option<Arc<Workspace>>);

impl Routes {
    /// Removes a person: from now on they are in no workspace, and those that were theirs alone are
    /// served to nobody, and put away. What is done about their sessions is `by`'s.
    ///
    /// # Errors
    /// Whatever the error, nothing was changed.
    pub async fn remove_user(
        self: &Arc<Self>,
        user: Uuid,
        by: impl Into<Remover>,
    ) -> Result<Removed, RemoveError> {
        let (routes, by) = (self.clone(), by.into());
        // Whoever hangs up on it stops nothing.
        tokio::spawn(async move { routes.remove_whole(user, by).await })
            .await
            .unwrap_or(Err(RemoveError::Interrupted))
    }

    async fn remove_whole(
        self: &Arc<Self>,
        user: Uuid,
        by: Remover,
    ) -> Result<Removed, RemoveError> {
        let name = by.name.clone();
        let mut locked = Vec::new();
        for workspace in self.theirs_alone(user) {
            let lock = workspace.changing.clone().lock_owned();
            let only = tokio::time::timeout(PATIENCE, lock).await;
            let only = only.map_err(|_| RemoveError::InProgress {
                workspace: workspace.name.to_string(),
            })?;
            locked.push((workspace, only));
        }
        let gone = self.take_away(user, by).await?;
        let archived: Vec<_> = gone.iter().map(|(row, _)| row.workspace.clone()).collect();
        info!(%user, by = name, ?archived, "removed");
        fail_point("removal_stored");
        let under_way = self.put_all_away(gone, locked).await;
        Ok(Removed {
            archived,
            under_way,
        })
    }

    /// The workspaces that go with this user.
    fn theirs_alone(&self, user: Uuid) -> Vec<Arc<Workspace>> {
        let mut all = self.workspaces_of(user);
        all.retain(|it| {
            self.members(it) == [user] && !self.config.workspaces.contains_key(&*it.name)
        });
        all
    }

    /// The workspaces that a configuration declares: of other machines, those that have no slot.
    fn declared_anywhere(&self) -> Vec<String> {
        let mut declared: Vec<_> = self.config.workspaces.keys().cloned().collect();
        if !self.runtime.can_create() {
            let others = self.others.all().into_iter().filter(|it| it.slot.is_none());
            declared.extend(others.map(|it| it.name.to_string()));
        }
        declared
    }

    /// Takes somebody out of the store and of memory, in one piece.
    async fn take_away(self: &Arc<Self>, user: Uuid, by: Remover) -> Result<Vec<Gone>, StoreError> {
        let removal = Removal {
            user,
            by: by.admin,
            at: Timestamp::now(),
            keep_ms: keep_ms(self.config.runtime.archive_days),
            declared: self.declared_anywhere(),
        };
        let routes = self.clone();
        let work = move |store: &dyn Store| {
            let one = &routes.placing;
            let _one = one.lock().unwrap_or_else(PoisonError::into_inner);
            let rows = store.remove_user(&removal, &mut || new_id().to_string())?;
            for workspace in routes.workspaces_of(user) {
                routes.take_out(user, &workspace);
            }
            routes.without.remove(&user);
            let names: Vec<_> = rows.iter().map(|row| row.workspace.clone()).collect();
            (by.gone)(store, &names);
            // The home of another puts that away once it hears of this.
            let here = rows
                .into_iter()
                .filter(|row| row.home == routes.config.machine());
            let withdraw = |row: ArchiveRow| {
                let workspace = routes.withdraw(&row.workspace);
                (row, workspace)
            };
            Ok::<_, StoreError>(here.map(withdraw).collect())
        };
        self.store.run(work).await
    }

    /// Leads nobody to this workspace any longer, and ends what was opened there.
    pub(in crate::routes) fn withdraw(&self, name: &str) -> Option<Arc<Workspace>> {
        let (_, workspace) = self.by_name.remove(name)?;
        self.close(&workspace);
        for role in [Role::Live, Role::Dev] {
            workspace.opening(role).lifetime.end();
        }
        Some(workspace)
    }

    /// Lets nobody in to a workspace that is no longer served here, whoever still knows it.
    pub(in crate::routes) fn close(&self, workspace: &Workspace) {
        let held = Arc::<Held>::default();
        let old = workspace.pair();
        let generation = old.generation();
        let closed = |role| self.renewed(old.route(role), generation, Some(held.clone()));
        workspace.pair.store(Arc::new(Pair {
            generation,
            live: closed(Role::Live),
            dev: closed(Role::Dev),
        }));
        workspace.gone.cancel();
        for route in old.both() {
            route.gate.close();
            route.sandbox.set_reserved(true);
            route.drain_deadline.cancel();
        }
    }

    /// Puts the data of each away; says which are still under way after a while.
    pub(in crate::routes) async fn put_all_away(
        self: &Arc<Self>,
        gone: Vec<Gone>,
        mut locked: Vec<(Arc<Workspace>, OwnedMutexGuard<()>)>,
    ) -> Vec<String> {
        let mut left: Vec<_> = gone.iter().map(|(row, _)| row.workspace.clone()).collect();
        let mut tasks = JoinSet::new();
        for (row, workspace) in gone {
            let at = locked
                .iter()
                .position(|(of, _)| workspace.as_ref().is_some_and(|it| Arc::ptr_eq(of, it)));
            let only = at.map(|at| locked.swap_remove(at).1);
            let routes = self.clone();
            tasks.spawn(async move {
                if let Some(workspace) = &workspace {
                    let only = match only {
                        Some(only) => only,
                        None => workspace.changing.clone().lock_owned().await,
                    };
                    // For good: what it is about is somebody else's soon.
                    let _ = workspace.last_change.set(only);
                }
                let name = row.workspace.clone();
                routes.put_away(row).await;
                name
            });
        }
        let all_done = async {
            while let Some(done) = tasks.join_next().await {
                if let Ok(done) = done {
                    left.retain(|name| *name != done);
                }
            }
        };
        let _ = tokio::time::timeout(ANSWERED, all_done).await;
        tasks.detach_all();
        left
    }
}
