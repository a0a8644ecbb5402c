//! What the proxy promises, each promise a test.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod bodies;
mod cut;
mod differential;
mod endings;
mod expectations;
mod failures;
mod framing;
mod gateway;
mod heads;
mod plain;
mod retries;
mod upgrades;
