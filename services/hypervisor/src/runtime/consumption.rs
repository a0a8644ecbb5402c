//! What the processes of a sandbox use.

use serde::Serialize;
use utoipa::ToSchema;

/// What the processes of a sandbox use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Consumption {
    /// Seconds of a processor's time since its start.
    pub cpu_secs: Option<f64>,
    /// How many processors it may use at a time.
    pub cpus_max: Option<f64>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
    /// How many it may have.
    pub memory_max_bytes: Option<u64>,
    /// Processes and their threads.
    pub tasks: Option<u64>,
    /// How many there may be.
    pub tasks_max: Option<u64>,
}
