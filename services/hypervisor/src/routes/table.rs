//! All workspaces, in the store and in memory.

use super::error::ClaimError;
use super::members;
use super::probation::Watched;
use super::route::{Pair, Route, Workspace};
use crate::auth::User;
use crate::concurrency_limit::Scope;
use crate::concurrency_limit::{ConcurrencyLimit, RejectionCounters};
use crate::config::{Config, DEFAULT_WORKSPACE};
use crate::gate::Gate;
use crate::proxy::Upstream;
use crate::role::Role;
use crate::runtime::{Runtime, Sandbox, Seal, Spec};
use crate::store::{Handle, Store, StoreError, WorkspaceRow};
use dashmap::{DashMap, DashSet};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

/// The route table: what the store holds, and the sandboxes behind it.
pub struct Routes {
    pub(super) store: Handle,
    runtime: Arc<Runtime>,
    config: Arc<Config>,
    by_name: DashMap<Arc<str>, Arc<Workspace>>,
    pub(super) by_user: DashMap<Uuid, Member>,
    /// Who has no workspace, and gets none as a new user would.
    without: DashMap<Uuid, Without>,
    /// The workspaces that are kept, and served to nobody.
    retired: DashSet<Arc<str>>,
    /// The workspaces whose last swap is on probation.
    pub(super) watched: DashMap<Arc<str>, Watched>,
    pub(super) swaps: AtomicU64,
    /// The permits that there are in the whole gateway.
    pub(super) concurrency_limit: ConcurrencyLimit,
    pub(super) rejections: RejectionCounters,
    /// Parent of every route's cut, those of drained generations included.
    pub(super) end: CancellationToken,
    /// Held while a user is given a workspace, so that no two get the same.
    assign_lock: Mutex<()>,
}

/// Who owns a workspace.
pub(super) struct Member {
    pub(super) workspace: Arc<Workspace>,
    /// The user's permits.
    pub(super) concurrency_limit: ConcurrencyLimit,
}

/// Why a user has no workspace.
enum Without {
    /// The configuration names others.
    TakenOut,
    /// This one is no longer declared.
    Retired(Arc<str>),
}

impl Routes {
    /// Reads the table once it is what the configuration says, and goes on with the swaps that
    /// are on probation.
    ///
    /// # Errors
    /// When the store fails, or holds routes to sandboxes that are not the workspace's.
    pub async fn open(
        config: Arc<Config>,
        store: Handle,
        runtime: Arc<Runtime>,
    ) -> Result<Arc<Self>, StoreError> {
        let routes = Arc::new(Self {
            store,
            runtime,
            concurrency_limit: ConcurrencyLimit::new(config.proxy.max_requests),
            config,
            by_name: DashMap::new(),
            by_user: DashMap::new(),
            without: DashMap::new(),
            retired: DashSet::new(),
            watched: DashMap::new(),
            swaps: AtomicU64::new(0),
            rejections: RejectionCounters::default(),
            end: CancellationToken::new(),
            assign_lock: Mutex::new(()),
        });
        let (declared, can_create) = (routes.config.clone(), routes.runtime.can_create());
        let settle = move |store: &dyn Store| {
            let rows = members::settle(store, &declared.workspaces, can_create)?;
            Ok::<_, StoreError>((rows, store.taken_out()?))
        };
        let (rows, taken_out) = routes.store.run(settle).await?;
        for user in taken_out {
            routes.without.insert(user, Without::TakenOut);
        }
        for row in rows {
            if row.retired {
                routes.retire(&row);
            } else {
                routes.publish(&row)?;
            }
        }
        routes.resume_probations().await?;
        Ok(routes)
    }

    /// Remembers whose workspace is not served.
    fn retire(&self, row: &WorkspaceRow) {
        warn!(workspace = %row.name, "kept, but not declared: it is served to nobody");
        let name: Arc<str> = row.name.as_str().into();
        for member in &row.members {
            self.without.insert(*member, Without::Retired(name.clone()));
        }
        self.retired.insert(name);
    }

    /// The seal around all sandboxes.
    pub fn seal(&self) -> &Seal {
        self.runtime.seal()
    }

    /// The workspace of this name.
    pub fn named(&self, name: &str) -> Option<Arc<Workspace>> {
        self.by_name.get(name).map(|found| found.clone())
    }

    /// Whether there is a workspace of this name, which is not declared and so not served.
    pub fn is_retired(&self, name: &str) -> bool {
        self.retired.contains(name)
    }

    /// The workspace of a user who has one already.
    pub fn of(&self, user: Uuid) -> Option<Arc<Workspace>> {
        let found = self.by_user.get(&user);
        found.map(|member| member.workspace.clone())
    }

    /// All workspaces, by name.
    pub fn all(&self) -> Vec<Arc<Workspace>> {
        let mut all: Vec<_> = self
            .by_name
            .iter()
            .map(|entry| entry.value().clone())
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Every user who has a workspace, with it.
    pub fn owners(&self) -> Vec<(Uuid, Arc<Workspace>)> {
        let mut owners: Vec<_> = self
            .by_user
            .iter()
            .map(|entry| (*entry.key(), entry.value().workspace.clone()))
            .collect();
        owners.sort_by(|a, b| (&a.1.name, a.0).cmp(&(&b.1.name, b.0)));
        owners
    }

    /// How many requests have a permit: those that hold a sandbox, and those that wait for one.
    pub fn requests(&self) -> usize {
        self.concurrency_limit.taken()
    }

    /// How many requests were refused because `scope` was full.
    pub fn refused(&self, scope: Scope) -> u64 {
        self.rejections.count(scope)
    }

    /// The user's workspace; the first time, one is given to them.
    ///
    /// # Errors
    /// When there is none to give, or the store fails.
    pub async fn workspace(&self, user: &User) -> Result<Arc<Workspace>, ClaimError> {
        if let Some(workspace) = self.of(user.id) {
            return Ok(workspace);
        }
        let _one = self.assign_lock.lock().await;
        if let Some(workspace) = self.of(user.id) {
            return Ok(workspace);
        }
        match self.without.get(&user.id).as_deref() {
            None => self.give(user).await,
            Some(Without::TakenOut) => Err(no_workspace(user)),
            Some(Without::Retired(workspace)) => Err(ClaimError::Retired {
                workspace: workspace.to_string(),
            }),
        }
    }

    /// Their declared workspace, else a declared one that is nobody's, else a new one.
    async fn give(&self, user: &User) -> Result<Arc<Workspace>, ClaimError> {
        let declared = &self.config.workspaces;
        let theirs = members::names(declared, &user.username);
        let nobodys = || {
            let owned: HashSet<_> = self
                .by_user
                .iter()
                .map(|entry| entry.workspace.name.clone())
                .collect();
            let default = declared.get_key_value(DEFAULT_WORKSPACE);
            let in_order = default.into_iter().chain(declared.iter());
            let free = in_order.filter(|(name, workspace)| {
                workspace.members.is_empty() && !owned.contains(name.as_str())
            });
            free.map(|(name, _)| name).next()
        };
        let name = match theirs.or_else(nobodys) {
            Some(name) => {
                let name = name.clone();
                let (workspace, id) = (name.clone(), user.id);
                self.store
                    .run(move |store| store.add_member(&workspace, id))
                    .await?;
                name
            }
            None if self.runtime.can_create() => {
                let name = self.free_name(&user.username);
                self.create(vec![new_row(&name, vec![user.id])]).await?;
                name
            }
            None => return Err(no_workspace(user)),
        };
        info!(workspace = %name, user = %user.username, "given");
        let workspace = self.named(&name).ok_or_else(|| no_workspace(user))?;
        self.add(user.id, &workspace);
        Ok(workspace)
    }

    fn add(&self, user: Uuid, workspace: &Arc<Workspace>) {
        let member = Member {
            workspace: workspace.clone(),
            concurrency_limit: ConcurrencyLimit::new(self.config.proxy.max_requests_per_user),
        };
        self.by_user.insert(user, member);
    }

    /// A workspace name made of the username's letters and digits.
    fn free_name(&self, username: &str) -> String {
        let local = username.split('@').next().unwrap_or_default();
        let mut stem: String = local
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(24)
            .collect::<String>()
            .to_ascii_lowercase();
        if !stem.starts_with(|first: char| first.is_ascii_lowercase()) {
            stem.insert(0, 'w');
        }
        let mut names = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
        names
            .find(|name| !self.by_name.contains_key(name.as_str()))
            .unwrap_or(stem)
    }

    /// Stores new workspaces, all or none, and publishes them.
    async fn create(&self, rows: Vec<WorkspaceRow>) -> Result<(), StoreError> {
        let work = move |store: &dyn Store| store.create_workspaces(&rows).map(|()| rows);
        let rows = self.store.run(work).await?;
        rows.iter().try_for_each(|row| self.publish(row))
    }

    /// Puts a stored workspace into memory.
    fn publish(&self, row: &WorkspaceRow) -> Result<(), StoreError> {
        let name: Arc<str> = row.name.as_str().into();
        let new = |role, sandbox: &str| {
            let concurrency_limit =
                ConcurrencyLimit::new(self.config.proxy.max_requests_per_sandbox);
            let sandbox = self.sandbox(row, sandbox)?;
            let route = self.route(
                &name,
                row.generation,
                role,
                sandbox,
                Arc::new(concurrency_limit),
            );
            Ok::<_, StoreError>(route)
        };
        let pair = Pair {
            live: new(Role::Live, &row.live)?,
            dev: new(Role::Dev, &row.dev)?,
        };
        let workspace = Arc::new(Workspace::new(name.clone(), pair));
        for member in &row.members {
            self.add(*member, &workspace);
        }
        self.by_name.insert(name, workspace);
        Ok(())
    }

    /// The sandbox of that name, as it was declared for the role that it was born with.
    fn sandbox(&self, row: &WorkspaceRow, name: &str) -> Result<Arc<Sandbox>, StoreError> {
        let born = [Role::Live, Role::Dev]
            .into_iter()
            .find(|&role| sandbox_name(&row.name, role) == name);
        let Some(instance_role) = born else {
            return Err(StoreError::Corrupt(format!(
                "workspace {} routes to {name}, which is not a sandbox of it; restore a backup",
                row.name
            )));
        };
        let workspace = self.config.workspaces.get(&row.name);
        let declared = workspace.map(|workspace| match instance_role {
            Role::Live => workspace.live.clone(),
            Role::Dev => workspace.dev.clone(),
        });
        let declared = declared.unwrap_or_default();
        Ok(self.runtime.sandbox(Spec {
            name: name.to_owned(),
            workspace: row.name.clone(),
            instance_role,
            address: declared.listens(),
            health_path: declared.health_path,
            health_status: declared.health_status,
            health_host: declared.health_host,
            identity: declared.identity,
        }))
    }

    /// A route of this generation.
    pub(super) fn route(
        &self,
        workspace: &Arc<str>,
        generation: u64,
        role: Role,
        sandbox: Arc<Sandbox>,
        concurrency_limit: Arc<ConcurrencyLimit>,
    ) -> Arc<Route> {
        sandbox.set_idle_stop(self.config.runtime.idle_roles.contains(&role));
        Arc::new(Route {
            workspace: workspace.clone(),
            role,
            generation,
            sandbox,
            upstream: Upstream::new(),
            concurrency_limit,
            gate: Gate::new(),
            drain_deadline: self.end.child_token(),
        })
    }

    /// Closes what has no end of its own, for a shutdown.
    pub fn expire_drain_deadlines(&self) {
        self.end.cancel();
    }

    /// Resolves when no sandbox is held by a claim, whatever its generation.
    pub async fn idle(&self) {
        let held = || {
            let mut pairs = self.by_name.iter().map(|entry| entry.value().pair());
            pairs.any(|pair| pair.both().iter().any(|route| route.sandbox.holds() > 0))
        };
        while held() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn no_workspace(user: &User) -> ClaimError {
    ClaimError::NoWorkspace {
        username: user.username.clone(),
    }
}

/// A workspace in its first generation.
pub(super) fn new_row(name: &str, members: Vec<Uuid>) -> WorkspaceRow {
    WorkspaceRow {
        name: name.to_owned(),
        generation: 1,
        live: sandbox_name(name, Role::Live),
        dev: sandbox_name(name, Role::Dev),
        members,
        retired: false,
    }
}

/// The name that the sandbox born as `role` of a workspace keeps for good.
fn sandbox_name(workspace: &str, role: Role) -> String {
    format!("{workspace}-{role}")
}
