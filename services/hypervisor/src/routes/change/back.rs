//! Back to what a sandbox ran and had before a change.

use crate::routes::insist::{SOON, until_done};
use crate::routes::table::Routes;
use crate::runtime::{RuntimeError, Sandbox, SnapshotId};
use crate::store::{Store, StoreError};
use std::sync::Arc;
use std::time::SystemTime;
use tracing::warn;
use uuid::Uuid;

/// The name of a snapshot that is made now.
pub(in crate::routes) fn new_id() -> SnapshotId {
    let [first, second, ..] = *Uuid::new_v4().as_bytes();
    SnapshotId::new(SystemTime::now(), u16::from_be_bytes([first, second]))
}

/// What becomes of the volume that something else is put back for.
pub(super) enum Aside {
    /// It is this snapshot again, which the change has put in the volume's place.
    Kept(SnapshotId),
    /// Nobody was let in to it, so nothing in it is missed.
    Gone,
}

/// Has a sandbox at rest with what it ran and had before a change, however long that takes:
/// nobody may be let in to anything else.
pub(super) async fn put_all_back(
    sandbox: &Arc<Sandbox>,
    release: u64,
    before: Option<&SnapshotId>,
    aside: &Aside,
) {
    let put_back = || try_put_back(sandbox, release, before, aside);
    let failed = "what was there before cannot be put back yet";
    until_done(SOON, sandbox.name(), failed, put_back).await;
}

/// Said of a change.
pub(in crate::routes) const NOT_NOTED: &str = "cannot note that a change was taken back";

impl Routes {
    /// Notes that a change was taken back, and why.
    pub(in crate::routes) async fn note_taken_back(
        &self,
        id: i64,
        held_ms: u64,
        why: String,
    ) -> Result<(), StoreError> {
        let note = move |store: &dyn Store| store.take_change_back(id, held_ms, &why);
        self.store.run(note).await
    }
}

async fn try_put_back(
    sandbox: &Arc<Sandbox>,
    release: u64,
    before: Option<&SnapshotId>,
    aside: &Aside,
) -> Result<(), RuntimeError> {
    sandbox.stop().await?;
    sandbox.set_release(release);
    sandbox.recover_volume().await?;
    let Some(before) = before else {
        return Ok(());
    };
    let kept = sandbox.snapshots().await?;
    let has = |id: &SnapshotId| kept.iter().any(|snapshot| snapshot.id == *id);
    if !has(before) {
        return Ok(());
    }
    match aside {
        Aside::Kept(id) if !has(id) => {
            sandbox.put_back(before, id).await?;
        }
        Aside::Kept(_) | Aside::Gone => {
            let id = new_id();
            sandbox.put_back(before, &id).await?;
            if let Err(error) = sandbox.remove_snapshot(&id).await {
                warn!(sandbox = sandbox.name(), %error, "what nobody was let in to is left as a snapshot");
            }
        }
    }
    Ok(())
}
