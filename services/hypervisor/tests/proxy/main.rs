//! What the proxy promises, each promise a test.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod bodies;
mod cut;
mod endings;
mod expectations;
mod failures;
mod gateway;
mod heads;
mod retries;
mod upgrades;
