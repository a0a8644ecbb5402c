//! All workspaces, in the store and in memory.

use super::access_table::AccessTable;
use super::elsewhere::Others;
use super::held::{Held, HoldMetrics};
use super::person::Person;
use super::promotions::PromotionCounters;
use super::route::{Pair, Route, Workspace};
use super::site::{Hosts, Site};
use super::write_count::WriteCount;
use crate::concurrency_limit::{ConcurrencyLimit, RejectionCounters, Scope};
use crate::config::{self, Config};
use crate::gate::Gate;
use crate::lifetime::EndNotifier;
use crate::metrics::Totals;
use crate::role::Role;
use crate::runtime::{Runtime, Sandbox, Seal, Spec};
use crate::sandbox_name;
use crate::store::{Handle, StoreError, WorkspaceRow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::{DashMap, DashSet};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
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
    pub(super) by_user: DashMap<Uuid, Person>,
    /// The workspaces of other machines.
    pub(super) others: Others,
    /// Who has no workspace, and gets none as a new user would.
    pub(super) without: DashMap<Uuid, Without>,
    /// What is being received, or put away after a move, by the workspaces' names.
    pub(super) arriving: DashMap<String, Arc<tokio::sync::Mutex<()>>>,
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
    /// Held from the store to memory while somebody gets a workspace, joins one or leaves it, so
    /// that the two never differ and no two people get the same.
    pub(super) placing: Mutex<()>,
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
    /// The data of this one are on their way from an archive.
    Awaited(Arc<str>),
}

impl Routes {
    /// The seal around all sandboxes.
    pub fn seal(&self) -> &Seal {
        self.runtime.seal()
    }

    /// How long starts took that a request waited for.
    pub fn cold_starts(&self) -> Totals {
        self.runtime.cold_starts()
    }

    /// The workspace of this name.
    pub fn named(&self, name: &str) -> Option<Arc<Workspace>> {
        self.by_name.get(name).map(|found| found.clone())
    }

    /// Whether there is a workspace of this name, which is not declared and so not served.
    pub fn is_retired(&self, name: &str) -> bool {
        self.retired.contains(name)
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

    /// How many requests have a permit: those that hold a sandbox, and those that wait for one.
    pub fn requests(&self) -> usize {
        self.concurrency_limit.taken()
    }

    /// How many requests were refused because `scope` was full.
    pub fn refused(&self, scope: Scope) -> u64 {
        self.rejections.count(scope)
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
        let workspace = Arc::new(Workspace {
            slot: row.slot,
            epoch: row.epoch,
            owned: AtomicBool::new(row.owned),
            ..workspace
        });
        for member in &row.members {
            self.add(*member, &workspace);
        }
        self.by_name.insert(name, workspace);
        Ok(())
    }

    /// The sandbox of that name, as it was declared for the role that it was born with.
    pub(super) fn sandbox(
        &self,
        row: &WorkspaceRow,
        name: &str,
    ) -> Result<Arc<Sandbox>, StoreError> {
        let called = |born| sandbox_name::of(&row.name, row.slot, born);
        let born = [Role::Live, Role::Dev];
        let Some(instance_role) = born.into_iter().find(|&role| called(role) == name) else {
            return Err(StoreError::Corrupt(format!(
                "workspace {} routes to {name}, which is not a sandbox of it; restore a backup",
                row.name
            )));
        };
        Ok(self.sandbox_born(&row.name, row.slot, instance_role))
    }

    /// The sandbox that was, or would be, born in this role, of a workspace in this slot.
    pub(super) fn sandbox_born(
        &self,
        workspace: &str,
        slot: Option<u32>,
        born: Role,
    ) -> Arc<Sandbox> {
        let declared = match slot {
            Some(slot) => self.config.slots.sandbox(slot, born),
            None => self.declared(workspace, born),
        };
        self.runtime.sandbox(Spec {
            name: sandbox_name::of(workspace, slot, born),
            workspace: workspace.to_owned(),
            slot,
            instance_role: born,
            declared: declared.unwrap_or_default(),
        })
    }

    fn declared(&self, workspace: &str, born: Role) -> Option<config::Sandbox> {
        let workspace = self.config.workspaces.get(workspace)?;
        Some(match born {
            Role::Live => workspace.live.clone(),
            Role::Dev => workspace.dev.clone(),
        })
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
