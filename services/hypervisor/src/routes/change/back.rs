//! Back to what a sandbox ran and had before a change.

use crate::runtime::{RuntimeError, Sandbox, SnapshotId};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tracing::{error, warn};
use uuid::Uuid;

/// Before another try at what must not fail.
const PAUSE: Duration = Duration::from_secs(1);

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
    while let Err(error) = try_put_back(sandbox, release, before, aside).await {
        error!(sandbox = sandbox.name(), %error, "what was there before cannot be put back yet; trying again");
        tokio::time::sleep(PAUSE).await;
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
