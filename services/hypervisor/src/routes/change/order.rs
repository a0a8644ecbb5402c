//! What changes are asked for with, and what they answer.

use crate::role::Role;
use crate::routes::swap::{Probation, Undo};
use crate::runtime::SnapshotId;
use crate::store::ChangeKind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Live takes dev's release, or another.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PromoteOrder {
    /// Promote only if the workspace is still at this generation.
    pub expect_generation: Option<u64>,
    /// The release; by default the one that dev has.
    pub release: Option<u64>,
    /// Try it first in dev, on a copy of live's data.
    pub rehearse: bool,
    /// Seconds for which live is watched afterwards, and the promotion undone if it falls ill.
    pub probation_secs: Option<u64>,
    /// Whether the volume is put back as well then.
    pub restore_data: bool,
}

impl Default for PromoteOrder {
    fn default() -> Self {
        Self {
            expect_generation: None,
            release: None,
            rehearse: true,
            probation_secs: None,
            restore_data: false,
        }
    }
}

/// Live takes back the release that it had before the last promotion.
#[derive(Debug, Clone, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UndoOrder {
    /// Undo only if the workspace is still at this generation.
    pub expect_generation: Option<u64>,
    /// Put the volume back as well, as it was before the promotion.
    pub with_data: bool,
}

/// Dev's volume becomes a copy of live's.
#[derive(Debug, Clone, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ForkOrder {
    /// Fork only if the workspace is still at this generation.
    pub expect_generation: Option<u64>,
}

/// A volume becomes what a snapshot of it has.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreOrder {
    /// Restore only if the workspace is still at this generation.
    #[serde(default)]
    pub expect_generation: Option<u64>,
    /// Whose volume.
    #[schema(inline)]
    pub role: Role,
    /// The snapshot.
    #[schema(value_type = String)]
    pub snapshot: SnapshotId,
    /// Try it first in dev.
    #[serde(default)]
    pub rehearse: bool,
}

/// What a change has done.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeOutcome {
    /// The workspace.
    pub workspace: String,
    /// What was done.
    pub kind: ChangeKind,
    /// The new generation.
    pub generation: u64,
    /// The sandbox that is live.
    pub live: String,
    /// The sandbox that is dev.
    pub dev: String,
    /// What the changed sandbox runs now.
    pub release: u64,
    /// What it ran before.
    pub from_release: u64,
    /// The snapshot of its volume from before.
    pub snapshot: Option<SnapshotId>,
    /// For how long requests were held.
    pub held_ms: u64,
    /// How many were.
    pub held_requests: usize,
    /// How it was tried before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// Requests since the promotion that may have written what is no longer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_writes: Option<u64>,
    /// What takes it back.
    pub undo: Undo,
    /// The probation that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probation: Option<Probation>,
}

impl fmt::Display for ChangeOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workspace,
            generation,
            release,
            from_release,
            held_ms,
            ..
        } = self;
        write!(
            f,
            "{workspace} to generation {generation}, from release {from_release} to {release}, requests held for {held_ms} ms"
        )
    }
}

/// A promotion that was tried on a copy of live's data.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsal {
    /// The snapshot of what dev had before.
    pub snapshot: Option<SnapshotId>,
    /// For how long live was frozen.
    pub frozen_ms: f64,
}
