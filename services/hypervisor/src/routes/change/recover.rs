//! Changes that were broken off, such as by a crash: nobody is let in before they are taken back.

use super::back::{Aside, NOT_NOTED, put_all_back};
use crate::role::Role;
use crate::routes::hold::RoleHold;
use crate::routes::insist::{SOON, until_done};
use crate::routes::table::Routes;
use crate::runtime::SnapshotId;
use crate::store::{ChangeKind, ChangeRow, StoreError};
use std::sync::Arc;
use tracing::{error, warn};

const WHY: &str = "the gateway ended in the midst of it";

impl Routes {
    /// Begins to take back what was broken off; who comes meanwhile is held.
    pub(in crate::routes) async fn take_back_broken_off(
        self: &Arc<Self>,
    ) -> Result<(), StoreError> {
        // At most one of a workspace, since the next one waits for it.
        for row in self.store.run(|store| store.open_changes()).await? {
            // One that is retired is looked at when it is back.
            let Some(workspace) = self.named(&row.workspace) else {
                continue;
            };
            let pair = workspace.pair();
            let of = |role| pair.route(role).sandbox.name() == row.sandbox;
            let Some(role) = [Role::Live, Role::Dev].into_iter().find(|&role| of(role)) else {
                continue;
            };
            let changing = workspace.changing.clone();
            // Nobody else has it yet.
            let Ok(only) = changing.try_lock_owned() else {
                continue;
            };
            let hold = RoleHold::begin(self, &workspace, role);
            let routes = self.clone();
            tokio::spawn(async move {
                let _only = only;
                routes.take_back_change(row, &hold).await;
            });
        }
        Ok(())
    }

    async fn take_back_change(&self, row: ChangeRow, hold: &RoleHold) {
        let sandbox = &hold.old.sandbox;
        warn!(workspace = row.workspace, sandbox = row.sandbox, kind = ?row.kind, "a change was broken off, and is taken back");
        let before: Option<SnapshotId> = row.snapshot.as_deref().and_then(|id| id.parse().ok());
        let aside = self.aside(&row).await;
        put_all_back(sandbox, row.from_release, before.as_ref(), &aside).await;
        if hold.old.role == Role::Live
            && sandbox.stopped_by().is_none()
            && let Err(error) = sandbox.start().await
        {
            error!(sandbox = row.sandbox, %error, "does not run as before");
        }
        let held = hold.millis();
        let note = || self.note_taken_back(row.id, held, WHY.to_owned());
        until_done(SOON, &row.sandbox, NOT_NOTED, note).await;
    }

    /// What becomes of the volume that something else is put back for.
    async fn aside(&self, row: &ChangeRow) -> Aside {
        if row.kind != ChangeKind::Undo {
            return Aside::Gone;
        }
        // The snapshot that was wanted back may be wanted another time.
        let look_up = || self.last_promotion(&row.workspace, &row.sandbox);
        let failed = "cannot look up what was to be undone";
        let promotion = until_done(SOON, &row.sandbox, failed, look_up).await;
        let snapshot = promotion.and_then(|row| row.snapshot?.parse().ok());
        snapshot.map_or(Aside::Gone, Aside::Kept)
    }
}
