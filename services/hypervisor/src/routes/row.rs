//! Workspaces as the store keeps them.

use crate::access::Access;
use crate::role::Role;
use crate::store::WorkspaceRow;
use uuid::Uuid;

/// A workspace in its first generation.
pub(super) fn new_row(name: &str, members: Vec<Uuid>) -> WorkspaceRow {
    WorkspaceRow {
        name: name.to_owned(),
        generation: 1,
        live: sandbox_name(name, Role::Live),
        dev: sandbox_name(name, Role::Dev),
        members,
        retired: false,
        access_live: Access::default(),
        access_dev: Access::default(),
        live_release: 0,
        dev_release: 0,
        writes: 0,
        writes_shared: 0,
    }
}

/// The name that the sandbox born as `role` of a workspace keeps for good.
pub(super) fn sandbox_name(workspace: &str, role: Role) -> String {
    format!("{workspace}-{role}")
}
