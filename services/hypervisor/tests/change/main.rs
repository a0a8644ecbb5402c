//! Promotions, undos, forks and restores of real sandboxes go through whole or not at all, whatever
//! happens in their midst.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod at_once;
#[path = "../common/mod.rs"]
mod common;
mod fixture;
#[cfg(feature = "fail-points")]
mod kills;
mod room;
mod taken_back;
