//! TLS that the gateway ends itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[path = "../common/mod.rs"]
mod common;

mod edge;
mod endings;
mod handshakes;
mod redirects;
mod reload;
mod site;
mod systemd;
