//! Somebody who has a workspace, or several.

use super::route::Workspace;
use crate::concurrency_limit::ConcurrencyLimit;
use crate::lifetime::Lifetime;
use std::sync::Arc;

/// Somebody who has a workspace.
pub(super) struct Person {
    /// Those who joined first in front; never empty.
    pub(super) memberships: Vec<Membership>,
    /// The one that they are led to, if they have said so.
    pub(super) chosen: Option<Arc<Workspace>>,
    /// The person's permits.
    pub(super) concurrency_limit: ConcurrencyLimit,
}

/// That somebody is a member of a workspace.
#[derive(Clone)]
pub struct Membership {
    /// The workspace.
    pub workspace: Arc<Workspace>,
    /// What they opened there ends with this.
    pub lifetime: Arc<Lifetime>,
}

impl Person {
    /// The membership of the workspace that they are led to.
    pub(super) fn chosen(&self) -> Option<&Membership> {
        let chosen = self.chosen.as_ref();
        let found = chosen.and_then(|workspace| self.of(workspace));
        found.or_else(|| self.memberships.first())
    }

    pub(super) fn of(&self, workspace: &Arc<Workspace>) -> Option<&Membership> {
        let mut all = self.memberships.iter();
        all.find(|it| Arc::ptr_eq(&it.workspace, workspace))
    }
}
