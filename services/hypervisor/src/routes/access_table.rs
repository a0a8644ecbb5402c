//! Who may look at a workspace's sandboxes, as it is in memory.

use crate::access::Access;
use crate::role::Role;
use crate::store::WorkspaceRow;
use arc_swap::ArcSwap;
use std::sync::Mutex;

/// Who may look at a workspace's two sandboxes. It belongs to the role: a swap leaves it.
pub(super) struct AccessTable {
    live: ArcSwap<Access>,
    dev: ArcSwap<Access>,
    /// Held from the store to memory, so that the two never differ.
    pub(super) writing: Mutex<()>,
}

impl AccessTable {
    pub(super) fn new(row: &WorkspaceRow) -> Self {
        Self {
            live: ArcSwap::from_pointee(row.access_live),
            dev: ArcSwap::from_pointee(row.access_dev),
            writing: Mutex::default(),
        }
    }

    pub(super) fn of(&self, role: Role) -> &ArcSwap<Access> {
        match role {
            Role::Live => &self.live,
            Role::Dev => &self.dev,
        }
    }
}
