//! Certificates that the gateway gets by itself, of a real ACME server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[path = "../common/mod.rs"]
mod common;

mod away;
mod issue;
mod refusals;
mod renewal;
mod site;
