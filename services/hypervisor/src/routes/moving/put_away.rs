//! What a machine still has of a workspace that has gone, or has not come after all.

use crate::role::Role;
use crate::routes::archive::{ArchiveError, delete_at, id_of, rest_and_archive};
use crate::routes::fail_point::fail_point;
use crate::routes::insist::{LATER, until_done};
use crate::routes::table::Routes;
use crate::runtime::{Sandbox, SnapshotId};
use crate::store::{ArchiveRow, ArchiveState, MoveRow, MoveState, Store, StoreError};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use tracing::info;

impl Routes {
    /// Goes on with moves that were broken off.
    pub(in crate::routes) async fn resume_moves(self: &Arc<Self>) -> Result<(), StoreError> {
        for row in self.store.run(|store| store.moves()).await? {
            let is_ours = row.state == MoveState::Begun && row.source == self.config.machine();
            // What it is of the workspace's history takes it back, if that is there.
            if is_ours && self.named(&row.workspace).is_none() {
                let name = row.workspace.clone();
                self.store
                    .run(move |store| store.take_move_back(&name))
                    .await?;
            }
            self.put_away_after(row);
        }
        Ok(())
    }

    /// Puts away what is here of a move that is over, if it is: in the background, however long that
    /// takes, for nobody else may have its slot before.
    pub(in crate::routes) fn put_away_after(self: &Arc<Self>, row: MoveRow) {
        let here = match row.state {
            MoveState::Begun => return,
            MoveState::Done => &row.source,
            MoveState::TakenBack => &row.target,
        };
        if here != self.config.machine() {
            return;
        }
        let routes = self.clone();
        tokio::spawn(async move {
            let put_away = || routes.try_put_away_after(&row);
            let failed = "what is left here of a move cannot be put away yet";
            until_done(LATER, &row.workspace, failed, put_away).await;
        });
    }

    async fn try_put_away_after(&self, row: &MoveRow) -> Result<(), ArchiveError> {
        let _only = self.only_one_of(&row.workspace).await;
        let name = row.workspace.clone();
        let still = self.store.run(move |store| store.move_of(&name)).await?;
        if still.as_ref() != Some(row) {
            return Ok(());
        }
        let id = id_of(&row.id)?;
        let sandboxes = self.sandboxes_of(row);
        let releases = sandboxes.each_ref().map(|it| it.release());
        let mut bytes = 0;
        for sandbox in &sandboxes {
            sandbox.set_reserved(true);
            bytes += rest_and_archive(sandbox, &id).await?;
            fail_point(&format!("move_archived_{}", sandbox.born()));
        }
        if row.state == MoveState::TakenBack {
            self.discard(&sandboxes[0], &id).await?;
        }
        for sandbox in &sandboxes {
            self.runtime.forget(sandbox).await;
        }
        let (of, days) = (row.clone(), self.config.runtime.archive_days);
        let over = move |store: &dyn Store| match of.state {
            MoveState::TakenBack => store.target_cleared(&of),
            _ => store.source_cleared(&of, &archive_of(store, &of, days, (bytes, releases))?),
        };
        self.store.run(over).await?;
        info!(workspace = row.workspace, state = ?row.state, bytes, "nothing of a move is left here");
        Ok(())
    }

    async fn discard(&self, sandbox: &Sandbox, id: &SnapshotId) -> Result<(), ArchiveError> {
        let spec = sandbox.spec().clone();
        Ok(self.runtime.discard_archive(spec, id).await?)
    }

    /// Those of this machine, by the roles that they were born in.
    fn sandboxes_of(&self, going: &MoveRow) -> [Arc<Sandbox>; 2] {
        let slot = match going.state {
            MoveState::Done => going.source_slot,
            MoveState::Begun | MoveState::TakenBack => going.target_slot,
        };
        [Role::Live, Role::Dev].map(|born| self.sandbox_born(&going.workspace, slot, born))
    }
}

/// What the source had, as an archive.
fn archive_of(
    store: &dyn Store,
    of: &MoveRow,
    days: u64,
    (bytes, [born_live, born_dev]): (u64, [u64; 2]),
) -> Result<ArchiveRow, StoreError> {
    let now = store.workspace(&of.workspace)?;
    let mut members = Vec::new();
    for member in now.iter().flat_map(|row| &row.members) {
        members.extend(store.user_by_id(*member)?.map(|user| user.username));
    }
    let at = Timestamp::now();
    let (live_release, dev_release) = if of.swapped {
        (born_dev, born_live)
    } else {
        (born_live, born_dev)
    };
    Ok(ArchiveRow {
        id: of.id.clone(),
        workspace: of.workspace.clone(),
        members,
        home: of.source.clone(),
        slot: of.source_slot,
        swapped: of.swapped,
        generation: now.map_or(0, |row| row.generation),
        live_release,
        dev_release,
        at,
        delete_at: delete_at(days, at),
        bytes,
        state: ArchiveState::Kept,
    })
}
