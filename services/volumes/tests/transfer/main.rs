//! Volumes that are sent to another machine: whole there, or of no use to anybody.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

#[path = "../common/mod.rs"]
mod common;
mod machines;
mod whole;
