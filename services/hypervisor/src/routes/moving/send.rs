//! A volume on its way to another machine.

use super::target::Target;
use crate::runtime::{Sandbox, SendPass, SnapshotId};
use std::time::Duration;
use tracing::{info, warn};

/// How long it is waited after each try that failed, of what nobody waits for.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

/// Sends a volume while its sandbox runs. A connection that breaks is made anew, and what has arrived
/// is not sent again.
pub(super) async fn ahead(
    target: &dyn Target,
    workspace: &str,
    sandbox: &Sandbox,
    id: &SnapshotId,
) -> Result<(), String> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let sent = pass(target, workspace, sandbox, id, SendPass::Ahead).await;
        let (Err(error), Some(pause)) = (&sent, pauses.next()) else {
            return sent;
        };
        warn!(workspace, sandbox = sandbox.name(), %error, "a volume was not sent to its end; going on with it");
        tokio::time::sleep(pause).await;
    }
}

/// Sends what has changed since, of a sandbox at rest.
pub(super) async fn rest(
    target: &dyn Target,
    workspace: &str,
    sandbox: &Sandbox,
    id: &SnapshotId,
) -> Result<(), String> {
    pass(target, workspace, sandbox, id, SendPass::Last).await
}

async fn pass(
    target: &dyn Target,
    workspace: &str,
    sandbox: &Sandbox,
    id: &SnapshotId,
    pass: SendPass,
) -> Result<(), String> {
    let stream = target.stream(workspace, sandbox.born()).await?;
    let sent = sandbox.send(id, pass, stream).await;
    let sent = sent.map_err(|error| error.to_string())?;
    info!(workspace, sandbox = sandbox.name(), ?pass, ?sent, "sent");
    Ok(())
}
