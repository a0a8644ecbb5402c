//! What a move is asked for with, and what it answers.

use serde::{Deserialize, Serialize};

/// Another machine becomes the home.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MoveOrder {
    /// The machine.
    pub to: String,
}

/// What a move has done.
#[derive(Debug, Clone, Serialize)]
pub struct MoveOutcome {
    /// The workspace.
    pub workspace: String,
    /// The machine that it was at.
    pub from: String,
    /// The machine that it is at.
    pub to: String,
    /// Its slot there.
    pub slot: Option<u32>,
    /// The new generation.
    pub generation: u64,
    /// How often it has moved.
    pub epoch: u64,
    /// For how long requests were held.
    pub held_ms: u64,
    /// How many were.
    pub held_requests: usize,
    /// What the other machine has kept of before, as an archive, is called so.
    pub archive: String,
}
