//! Routes that another machine has from now on, in memory.

use crate::routes::table::Routes;
use crate::sandbox_name;
use crate::store::{MoveRow, Store, StoreError, WorkspaceRow};

impl Routes {
    /// Leads whoever comes to this workspace to its new home. Whoever is held by then is told so once
    /// the hold ends. Blocks; one change of these at a time.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::routes) fn hand_over(
        &self,
        store: &dyn Store,
        row: &WorkspaceRow,
    ) -> Result<(), StoreError> {
        // First the new, so that it is known at any moment.
        self.others.put(&self.config, row);
        let Some((_, workspace)) = self.by_name.remove(&*row.name) else {
            return Ok(());
        };
        self.close(&workspace);
        for member in self.members(&workspace) {
            // Nothing of theirs is open there any longer, and those who wait go along.
            self.remove_membership(member, &workspace);
        }
        self.lead_members(store, row)
    }

    /// Puts into memory which of its members are led to a workspace, wherever it is.
    pub(in crate::routes) fn lead_members(
        &self,
        store: &dyn Store,
        row: &WorkspaceRow,
    ) -> Result<(), StoreError> {
        for member in &row.members {
            if store.placed(*member)?.chosen.as_ref() == Some(&row.name) {
                self.lead_to_named(*member, &row.name);
            }
        }
        Ok(())
    }
}

/// The workspace of a move, as it is at the machine that it goes to.
pub(super) fn as_there(row: &WorkspaceRow, going: &MoveRow) -> WorkspaceRow {
    let called = |sandbox: &str| {
        let (from, to) = (going.source_slot, going.target_slot);
        sandbox_name::in_slot(sandbox, &row.name, from, to).unwrap_or_default()
    };
    WorkspaceRow {
        home: going.target.clone(),
        slot: going.target_slot,
        live: called(&row.live),
        dev: called(&row.dev),
        ..row.clone()
    }
}
