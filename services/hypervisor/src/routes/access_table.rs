//! Who may look at a workspace's sandboxes, as it is in memory.

use crate::access::Access;
use crate::lifetime::{EndNotifier, Lifetime};
use crate::role::Role;
use crate::store::WorkspaceRow;
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex};

/// Who may look at a workspace's two sandboxes. It belongs to the role: a swap leaves it.
pub(super) struct AccessTable {
    live: ArcSwap<Opening>,
    dev: ArcSwap<Opening>,
    ends: EndNotifier,
    /// Held from the store to memory, so that the two never differ.
    pub(super) writing: Mutex<()>,
}

/// Who may look at a sandbox, and until when.
pub struct Opening {
    /// Who.
    pub access: Access,
    /// Ends when fewer people may.
    pub lifetime: Arc<Lifetime>,
}

impl AccessTable {
    pub(super) fn new(row: &WorkspaceRow, ends: &EndNotifier) -> Self {
        let opening = |access| {
            let lifetime = ends.lifetime(None);
            ArcSwap::from_pointee(Opening { access, lifetime })
        };
        Self {
            live: opening(row.access_live),
            dev: opening(row.access_dev),
            ends: ends.clone(),
            writing: Mutex::default(),
        }
    }

    pub(super) fn of(&self, role: Role) -> &ArcSwap<Opening> {
        match role {
            Role::Live => &self.live,
            Role::Dev => &self.dev,
        }
    }

    /// From now on; what was opened by an access that let in more people ends.
    pub(super) fn set(&self, role: Role, access: Access) {
        let current = self.of(role);
        let old = current.load_full();
        let is_narrower = access < old.access;
        let lifetime = if is_narrower {
            self.ends.lifetime(None)
        } else {
            old.lifetime.clone()
        };
        current.store(Arc::new(Opening { access, lifetime }));
        if is_narrower {
            old.lifetime.end();
        }
    }
}
