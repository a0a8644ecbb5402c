//! All workspaces, in the store and in memory.

use super::access_table::AccessTable;
use super::held::{Held, HoldMetrics};
use super::promotions::PromotionCounters;

use super::route::{Pair, Route, Workspace};
use super::row::sandbox_name;
use super::site::{Hosts, Site};
use super::write_count::WriteCount;
use crate::concurrency_limit::{ConcurrencyLimit, RejectionCounters, Scope};
use crate::config::Config;
use crate::gate::Gate;
use crate::lifetime::EndNotifier;
use crate::role::Role;
use crate::runtime::{Runtime, Sandbox, Seal, Spec};
use crate::store::{Handle, StoreError, WorkspaceRow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::{DashMap, DashSet};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The id of the next route.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// What a route leads to, whatever its role.
pub(super) type Parts = (Arc<Sandbox>, Arc<ConcurrencyLimit>, Option<Arc<AtomicU64>>);

/// The route table: what the store holds, and the sandboxes behind it.
pub struct Routes {
    pub(super) store: Handle,
    pub(super) runtime: Arc<Runtime>,
    pub(super) config: Arc<Config>,
    pub(super) hosts: Hosts,
    /// Tells of each access that is narrowed.
    pub(super) ends: EndNotifier,
    pub(super) by_name: DashMap<Arc<str>, Arc<Workspace>>,
    pub(super) by_user: DashMap<Uuid, Member>,
    /// Who has no workspace, and gets none as a new user would.
    pub(super) without: DashMap<Uuid, Without>,
    /// The workspaces that are kept, and served to nobody.
    pub(super) retired: DashSet<Arc<str>>,
    /// The workspaces whose last swap is on probation.
    pub(super) watched: DashMap<Arc<str>, Watched>,
    pub(super) swaps: AtomicU64,
    /// The permits that there are in the whole gateway.
    pub(super) concurrency_limit: ConcurrencyLimit,
    pub(super) rejections: RejectionCounters,
    pub(super) holds: HoldMetrics,
    pub(super) promotions: PromotionCounters,
    /// Parent of every route's deadline, those of drained generations included.
    pub(super) end: CancellationToken,
    /// Held while a user is given a workspace, so that no two get the same.
    pub(super) assign_lock: Mutex<()>,
}

/// Who owns a workspace.
pub(super) struct Member {
    pub(super) workspace: Arc<Workspace>,
    /// The user's permits.
    pub(super) concurrency_limit: ConcurrencyLimit,
}

/// A probation under way.
pub(super) struct Watched {
    pub(super) generation: u64,
    pub(super) begun: Instant,
    pub(super) lasts: Duration,
}

/// Why a user has no workspace.
pub(super) enum Without {
    /// The configuration names others.
    TakenOut,
    /// This one is no longer declared.
    Retired(Arc<str>),
}

impl Routes {
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

    /// Whether this workspace is this user's.
    pub fn is_member(&self, user: Uuid, workspace: &Arc<Workspace>) -> bool {
        let found = self.by_user.get(&user);
        found.is_some_and(|member| Arc::ptr_eq(&member.workspace, workspace))
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

    pub(super) fn add(&self, user: Uuid, workspace: &Arc<Workspace>) {
        let member = Member {
            workspace: workspace.clone(),
            concurrency_limit: ConcurrencyLimit::new(self.config.proxy.max_requests_per_user),
        };
        self.by_user.insert(user, member);
    }

    /// Puts a stored workspace into memory.
    pub(super) fn publish(&self, row: &WorkspaceRow) -> Result<(), StoreError> {
        let name: Arc<str> = row.name.as_str().into();
        let writes = WriteCount::new(row.writes, row.writes_shared);
        let new = |role, sandbox: &str| {
            let limit = ConcurrencyLimit::new(self.config.proxy.max_requests_per_sandbox);
            let sandbox = self.sandbox(row, sandbox)?;
            let release = match role {
                Role::Live => row.live_release,
                Role::Dev => row.dev_release,
            };
            sandbox.set_release(release);
            let count = (role == Role::Live).then(|| writes.counter());
            let parts = (sandbox, Arc::new(limit), count);
            Ok::<_, StoreError>(self.route(&name, row.generation, role, parts, None))
        };
        let pair = Pair {
            generation: row.generation,
            live: new(Role::Live, &row.live)?,
            dev: new(Role::Dev, &row.dev)?,
        };
        let sites = [Role::Live, Role::Dev].map(|role| Site::new(&self.config, &name, role));
        let access = AccessTable::new(row, &self.ends);
        // The rest is for members.
        let most_visitors = self.config.proxy.max_requests_per_sandbox.div_ceil(2);
        let workspace = Workspace::new(name.clone(), pair, access, sites, most_visitors, writes);
        let workspace = Arc::new(workspace);
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
        Ok(self.runtime.sandbox(Spec {
            name: name.to_owned(),
            workspace: row.name.clone(),
            instance_role,
            declared: declared.unwrap_or_default(),
        }))
    }

    /// A route of this generation.
    pub(super) fn route(
        &self,
        workspace: &Arc<str>,
        generation: u64,
        role: Role,
        (sandbox, concurrency_limit, writes): Parts,
        held: Option<Arc<Held>>,
    ) -> Arc<Route> {
        sandbox.set_idle_stop(self.config.runtime.idle_roles.contains(&role));
        let gate = Gate::new();
        if held.is_some() {
            gate.close();
        }
        Arc::new(Route {
            workspace: workspace.clone(),
            role,
            generation,
            sandbox,
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            validator_mark: validator_mark(workspace, role, generation),
            concurrency_limit,
            gate,
            held,
            writes,
            drain_deadline: self.end.child_token(),
        })
    }

    /// A route like that one, in another generation.
    pub(super) fn renewed(
        &self,
        route: &Route,
        generation: u64,
        held: Option<Arc<Held>>,
    ) -> Arc<Route> {
        let parts = (
            route.sandbox.clone(),
            route.concurrency_limit.clone(),
            route.writes.clone(),
        );
        self.route(&route.workspace, generation, route.role, parts, held)
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

/// As much of a hash as tells a route from those that a browser has met.
fn validator_mark(workspace: &str, role: Role, generation: u64) -> Box<str> {
    // A workspace's name has no space in it.
    let hash = Sha256::digest(format!("{workspace} {role} {generation}"));
    URL_SAFE_NO_PAD.encode(&hash[..8]).into()
}
