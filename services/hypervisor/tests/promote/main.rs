//! Releases, promotions, forks and restores: live's data stay with live, and nobody sees more of
//! it than a delay.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod backups;
#[path = "../common/mod.rs"]
mod common;
mod orders;
mod under_load;
mod workspace;
