//! Volumes that are sent to another machine: whole there, or of no use to anybody.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod ahead;
mod broken;
#[path = "../common/mod.rs"]
mod common;
mod hostile;
mod killed;
mod machines;
mod whole;
