//! A workspace and its two routes.

use super::access_table::{AccessTable, Opening};
use super::held::Held;
use super::request_count::RequestCount;
use super::site::Site;
use super::write_count::WriteCount;
use crate::access::Access;
use crate::concurrency_limit::ConcurrencyLimit;
use crate::gate::Gate;
use crate::role::Role;
use crate::runtime::Sandbox;
use crate::sandbox_name;
use crate::timestamp::Timestamp;
use arc_swap::{ArcSwap, Guard};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

/// (workspace, role) → sandbox, for as long as one generation lasts.
///
/// A swap makes new routes and closes these: a route never changes, so whoever holds one
/// knows which sandbox it means.
pub struct Route {
    /// The workspace's name.
    pub workspace: Arc<str>,
    /// The role that the sandbox has in this generation.
    pub role: Role,
    /// Grows by one at each change of the workspace's routes.
    pub generation: u64,
    /// Where the requests go.
    pub sandbox: Arc<Sandbox>,
    /// Tells it from all others, also from those of another generation.
    pub id: u64,
    /// The same after a restart.
    pub validator_mark: Box<str>,
    /// The sandbox's permits, whatever the role and the generation.
    pub(super) concurrency_limit: Arc<ConcurrencyLimit>,
    pub(super) gate: Gate,
    /// While requests are held, what ends that; the gate is closed then.
    pub(super) held: Option<Arc<Held>>,
    /// Counts the requests that may write; for live alone.
    pub(super) writes: Option<Arc<AtomicU64>>,
    /// Cancelled at the end of the drain.
    pub drain_deadline: CancellationToken,
}

/// Both routes, exchanged as one.
pub struct Pair {
    /// Grows by one at each change; a route that the last one left alone is of an earlier one.
    pub(super) generation: u64,
    /// Where everything but `/dev` goes.
    pub live: Arc<Route>,
    /// Where `/dev` goes.
    pub dev: Arc<Route>,
}

impl Pair {
    /// The generation of the workspace.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The route of `role`.
    pub fn route(&self, role: Role) -> &Arc<Route> {
        match role {
            Role::Live => &self.live,
            Role::Dev => &self.dev,
        }
    }

    /// Both routes, live first.
    pub fn both(&self) -> [&Arc<Route>; 2] {
        [&self.live, &self.dev]
    }
}

/// What a user owns: two sandboxes, and the routes that point at them.
pub struct Workspace {
    /// Its name.
    pub name: Arc<str>,
    /// Its slot of the host, if it is not a declared one.
    pub slot: Option<u32>,
    /// How often another machine was its home before.
    pub epoch: u64,
    /// Whether it is, or ever was, somebody's.
    pub(super) owned: AtomicBool,
    pub(super) pair: ArcSwap<Pair>,
    pub(super) access: AccessTable,
    /// Live's and dev's.
    pub(super) sites: [Site; 2],
    /// The permits of those who visit live, and dev, and are no user with permits of their own.
    pub(super) visitors: [ConcurrencyLimit; 2],
    /// Held by the one change that there may be at a time.
    pub(super) changing: Arc<Mutex<()>>,
    /// Cancelled when it is served to nobody any longer.
    pub(super) gone: CancellationToken,
    /// Keeps a workspace that is gone from being changed, as long as somebody knows it.
    pub(super) last_change: OnceLock<OwnedMutexGuard<()>>,
    pub(super) writes: WriteCount,
    /// Of live, and of dev.
    pub(super) requests: [RequestCount; 2],
}

impl Workspace {
    pub(super) fn new(
        name: Arc<str>,
        pair: Pair,
        access: AccessTable,
        sites: [Site; 2],
        most_visitors: usize,
        writes: WriteCount,
    ) -> Self {
        Self {
            name,
            slot: None,
            epoch: 0,
            owned: AtomicBool::new(false),
            pair: ArcSwap::from_pointee(pair),
            access,
            sites,
            visitors: [0; 2].map(|_| ConcurrencyLimit::new(most_visitors)),
            changing: Arc::default(),
            gone: CancellationToken::new(),
            last_change: OnceLock::new(),
            writes,
            requests: Default::default(),
        }
    }

    /// Who may look at the sandbox that has this role now.
    pub fn access(&self, role: Role) -> Access {
        self.opening(role).access
    }

    /// The same, and until when.
    pub fn opening(&self, role: Role) -> Guard<Arc<Opening>> {
        self.access.of(role).load()
    }

    /// Where the sandbox that has this role is found.
    pub fn site(&self, role: Role) -> &Site {
        match role {
            Role::Live => &self.sites[0],
            Role::Dev => &self.sites[1],
        }
    }

    pub(super) fn visitors(&self, role: Role) -> &ConcurrencyLimit {
        match role {
            Role::Live => &self.visitors[0],
            Role::Dev => &self.visitors[1],
        }
    }

    pub(super) fn request_count(&self, role: Role) -> &RequestCount {
        match role {
            Role::Live => &self.requests[0],
            Role::Dev => &self.requests[1],
        }
    }

    /// How many requests this role has had since the start of this program, whichever sandbox had
    /// the role.
    pub fn requests(&self, role: Role) -> u64 {
        self.request_count(role).count()
    }

    /// When the last of them came, to about a second.
    pub fn last_request_at(&self, role: Role) -> Option<Timestamp> {
        self.request_count(role).last_at()
    }

    /// Whose releases it has: its own, or those of all slots.
    pub(super) fn release_set(&self) -> &str {
        sandbox_name::release_set(&self.name, self.slot)
    }

    /// The routes as they are now.
    pub fn pair(&self) -> Arc<Pair> {
        self.pair.load_full()
    }
}
